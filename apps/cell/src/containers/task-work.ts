import { extract } from 'tar-stream';
import type { Container, ContainerSpec, Garden } from '#rivera/garden';
import {
  type CellReportResult,
  type HeldResources,
  RiveraError,
  type RunAction,
  type TaskDefinition,
  type TaskReport,
} from '#rivera/models';
import { networkEnvironment, variables } from '../executor/environment.js';
import { Interpreter, processSpec } from '../executor/interpreter.js';
import type { LogStreamer } from '../executor/log-streamer.js';
import { messageOf } from '../executor/run-step.js';
import type { Step, StepResult } from '../executor/step.js';
import type { Work } from './container-actor.js';
import { openContainer } from './open-container.js';

/** Diego rep: a larger result file fails the task. */
const MAX_RESULT_BYTES = 51_200;

type TaskFields<R> = R extends unknown ? Omit<R, 'taskGuid'> : never;

export interface TaskWorkOptions {
  taskGuid: string;
  resources: HeldResources;
  report(report: TaskReport): Promise<CellReportResult>;
  cellAddress: string;
  graceMs: number;
  /** Opens the log of what was granted. */
  openLogs: (definition: TaskDefinition) => LogStreamer;
}

/** One task (Diego rep, task processor). */
export class TaskWork implements Work {
  readonly kind = 'task';
  private definition: TaskDefinition | undefined;
  private logs: LogStreamer | undefined;
  private isAdopted = false;
  private wasCreated = false;

  constructor(private readonly options: TaskWorkOptions) {}

  get guid(): string {
    return this.options.taskGuid;
  }

  get resources(): HeldResources {
    return this.options.resources;
  }

  /** A start whose answer was lost, or that an earlier agent made, is ours all the same: one actor a task, one container. */
  async acquire(): Promise<boolean> {
    const result = await this.report({ type: 'start-task' });
    if (!result.ok || result.task === undefined) return false;
    this.definition = result.task.definition;
    this.logs = this.options.openLogs(this.definition);
    return true;
  }

  async create(garden: Garden): Promise<Container> {
    const { container, isAdopted } = await openContainer(garden, this.spec());
    this.isAdopted = isAdopted;
    this.wasCreated = true;
    return container;
  }

  async step(container: Container): Promise<Step> {
    const { action, logSource } = this.required();
    if (action.run === undefined) await container.start({ stdout: () => {}, stderr: () => {} });
    const interpreter = new Interpreter({
      container,
      main: action.run,
      launchMain: async (output) => {
        const main = this.isAdopted ? await container.attachMain(output) : await container.start(output);
        if (main === undefined)
          throw new RiveraError('internal', `Container ${this.guid} has no main process.`);
        return main;
      },
      networkEnvironment: this.network(),
      logs: this.logs!,
      graceMs: this.options.graceMs,
    });
    return interpreter.step(action, logSource ?? 'LOG');
  }

  async ready(): Promise<boolean> {
    return true;
  }

  async ended(result: StepResult, container: Container | undefined): Promise<void> {
    this.logs?.close();
    if (result.status === 'cancelled') return;
    if (result.status === 'failed' && !this.wasCreated) {
      await this.report({ type: 'reject-task', reason: result.message });
      return;
    }
    await this.report({ type: 'complete-task', ...(await this.outcome(result, container)) });
  }

  private async outcome(
    result: StepResult,
    container: Container | undefined,
  ): Promise<{ failed: boolean; failureReason?: string; result?: string }> {
    const { resultFile } = this.required();
    const failure = result.status === 'failed' ? result.message : undefined;
    let content: string | undefined;
    if (resultFile !== undefined && resultFile !== '' && container !== undefined) {
      try {
        content = await readResult(container, resultFile);
      } catch (error) {
        const reason = `failed to fetch result: ${messageOf(error)}`;
        if (failure === undefined) return { failed: true, failureReason: reason };
      }
    }
    return {
      failed: failure !== undefined,
      ...(failure === undefined ? {} : { failureReason: failure }),
      ...(content === undefined ? {} : { result: content }),
    };
  }

  private report(fields: TaskFields<TaskReport>): Promise<CellReportResult> {
    return this.options.report({ ...fields, taskGuid: this.guid });
  }

  private required(): TaskDefinition {
    if (this.definition === undefined)
      throw new RiveraError('internal', `Task ${this.guid} was not started.`);
    return this.definition;
  }

  private network(): string[] {
    return networkEnvironment({ cellAddress: this.options.cellAddress, containerPorts: [], ports: [] });
  }

  private spec(): ContainerSpec {
    const definition = this.required();
    const main: RunAction | undefined = definition.action.run;
    return {
      handle: this.guid,
      rootfs: definition.rootfs,
      imageUsername: definition.imageUsername,
      imagePassword: definition.imagePassword,
      env: variables(definition.environmentVariables),
      limits: {
        memoryMb: definition.memoryMb,
        diskMb: definition.diskMb,
        pids: definition.maxPids ?? 0,
        cpuWeight: definition.cpuWeight ?? 0,
      },
      privileged: definition.privileged ?? false,
      ports: [],
      properties: { kind: 'task' },
      ...(main === undefined ? {} : { main: processSpec(main, this.network()) }),
    };
  }
}

async function readResult(container: Container, path: string): Promise<string> {
  const tar = (await container.streamOut(path)).pipe(extract());
  for await (const entry of tar) {
    if ((entry.header.size ?? 0) > MAX_RESULT_BYTES) {
      throw new RiveraError('payload-too-large', `result file is too large (over ${MAX_RESULT_BYTES} bytes)`);
    }
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString();
  }
  throw new RiveraError('not-found', `There is no file ${path} in the container.`);
}
