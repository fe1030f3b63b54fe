import type { Container } from '#rivera/garden';
import {
  type CellReportResult,
  type HeldResources,
  RiveraError,
  type TaskDefinition,
  type TaskReport,
} from '#rivera/models';
import type { ProcessDefaults } from '../exec/instances.js';
import { processDefaults } from '../executor/interpreter.js';
import { readFirstFile } from '../executor/first-file.js';
import { LogStreamer } from '../executor/log-streamer.js';
import { messageOf, type Step, type StepResult } from '../executor/step.js';
import type { Leaving, Work } from './container-actor.js';
import { ContainerRun } from './container-run.js';
import type { Provisioner } from './provisioner.js';
import type { CellServices } from './services.js';

/** Diego rep: a larger result file fails the task. */
const MAX_RESULT_BYTES = 51_200;

/** Why a task is to be placed again that had no container yet. */
const AGENT_ENDED = 'the agent of its cell was stopped before its container was made';

type TaskFields<R> = R extends unknown ? Omit<R, 'taskGuid'> : never;

export interface TaskWorkOptions {
  taskGuid: string;
  resources: HeldResources;
  report(report: TaskReport): Promise<CellReportResult>;
  services: CellServices;
  provisioner: Provisioner;
  /** An earlier agent made its container, and may have started it. */
  isAdopted?: boolean;
}

/** One task (Diego rep, task processor). */
export class TaskWork implements Work {
  readonly kind = 'task';
  private granted: { definition: TaskDefinition; run: ContainerRun } | undefined;
  /** Its program may have run: whatever happens now, it must not run again. */
  private mayHaveRun: boolean;

  constructor(private readonly options: TaskWorkOptions) {
    this.mayHaveRun = options.isAdopted ?? false;
  }

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
    const { definition } = result.task;
    this.granted = { definition, run: this.runOf(definition) };
    return true;
  }

  create(signal: AbortSignal): Promise<Container> {
    return this.definite().run.create(signal);
  }

  step(container: Container): Promise<Step> {
    this.mayHaveRun = true;
    const { definition, run } = this.definite();
    const interpreter = run.interpreter(container);
    return run.step(container, interpreter, interpreter.step(definition.action, logSourceOf(definition)));
  }

  async processDefaults(container: Container): Promise<ProcessDefaults> {
    const { definition, run } = this.definite();
    return processDefaults(definition.action, await run.network(container));
  }

  ready(): Promise<boolean> {
    return Promise.resolve(true);
  }

  /** Tasks go on to their end, wherever they are (Diego rep). */
  async leave(): Promise<Leaving> {
    return 'waiting';
  }

  async handBack(): Promise<void> {
    await this.report({ type: 'reject-task', reason: AGENT_ENDED });
  }

  async ended(result: StepResult, container: Container | undefined): Promise<void> {
    if (result.status === 'cancelled') return;
    if (result.status === 'failed' && !this.mayHaveRun) {
      await this.report({ type: 'reject-task', reason: result.message });
      return;
    }
    await this.report({ type: 'complete-task', ...(await this.outcome(result, container)) });
  }

  say(stream: 'out' | 'err', line: string): void {
    this.granted?.run.logs.platform(stream, line);
  }

  async removed(): Promise<void> {
    await this.options.provisioner.release(this.guid);
    this.granted?.run.logs.close();
  }

  private runOf(definition: TaskDefinition): ContainerRun {
    const { taskGuid, services, provisioner } = this.options;
    const { logGuid, logRateLimit, action } = definition;
    return new ContainerRun({
      services,
      provisioner,
      guid: taskGuid,
      definition,
      logs: new LogStreamer(services.logs.open({ kind: 'task', guid: taskGuid, logGuid }), {
        bytesPerSecond: logRateLimit?.bytesPerSecond,
        linesPerSecond: services.policy.logLinesPerSecond,
      }),
      logSource: logSourceOf(definition),
      main: action.run,
      env: [],
      containerPorts: [],
      properties: { kind: 'task' },
    });
  }

  private async outcome(
    result: StepResult,
    container: Container | undefined,
  ): Promise<{ failed: boolean; failureReason?: string; result?: string }> {
    const { resultFile } = this.definite().definition;
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

  private definite(): { definition: TaskDefinition; run: ContainerRun } {
    if (this.granted === undefined) throw new RiveraError('internal', `Task ${this.guid} was not started.`);
    return this.granted;
  }
}

function logSourceOf({ logSource }: TaskDefinition): string {
  return logSource || 'LOG';
}

async function readResult(container: Container, path: string): Promise<string> {
  const content = await readFirstFile(await container.streamOut(path), async ({ size }, chunks) => {
    if (size > MAX_RESULT_BYTES) {
      throw new RiveraError('payload-too-large', `result file is too large (over ${MAX_RESULT_BYTES} bytes)`);
    }
    const read: Buffer[] = [];
    for await (const chunk of chunks) read.push(chunk);
    return Buffer.concat(read).toString();
  });
  if (content === undefined) throw new RiveraError('not-found', `There is no file ${path} in the container.`);
  return content;
}
