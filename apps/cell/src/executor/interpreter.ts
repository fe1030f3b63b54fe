import type { Container, ContainerProcess, ProcessOutput, ProcessSpec } from '#rivera/garden';
import type { Action, RunAction } from '#rivera/models';
import type { ProcessDefaults } from '../exec/instances.js';
import type { Limiter } from './limiter.js';
import type { ArtifactCache } from '../downloader/artifact-cache.js';
import { codependent, emitProgress, parallel, serial, timeout, tryStep } from './combinators.js';
import { downloadStep } from './download-step.js';
import type { LineOutput, LogStreamer } from './log-streamer.js';
import { runStep } from './run-step.js';
import { failedInternally, type Step, type StepLog } from './step.js';
import { uploadStep } from './upload-step.js';

/** What the actions of one container need to be carried out. */
export interface InterpreterOptions {
  container: Container;
  /** The action that is the container's main process, if it has one. */
  main?: RunAction;
  /** Starts the main process, or takes up the one that an earlier agent started. */
  launchMain: (output: ProcessOutput) => Promise<ContainerProcess>;
  /** Environment of the instance's network, asked for once it runs; it wins over the action's own. */
  networkEnvironment: () => Promise<string[]>;
  logs: LogStreamer;
  graceMs: number;
  artifacts: ArtifactCache;
  uploading: Limiter;
  temporaryDirectory: string;
  /** Of one upload, and of what a download may unpack to. */
  maxTransferBytes: number;
}

/** Turns actions into steps (Diego executor, action interpreter). */
export class Interpreter {
  constructor(private readonly options: InterpreterOptions) {}

  /** A log source on an action holds for what is inside it too. */
  step(action: Action, logSource: string): Step {
    return this.build(action, logSource, (run, source) => this.run(run, source));
  }

  /**
   * The same for an action that only looks (Diego executor, monitor action): it logs nothing, also not its exit, and a
   * process that fails is quoted.
   */
  monitorStep(action: Action, logSource: string): Step {
    return this.build(action, logSource, (run, source) => this.monitor(run, source));
  }

  private build(
    action: Action,
    logSource: string,
    run: (action: RunAction, logSource: string) => Step,
  ): Step {
    const inner = (child: Action, own?: string) => this.build(child, own || logSource, run);
    const all = ({ actions, logSource: own }: { actions: Action[]; logSource?: string }) =>
      actions.map((child) => inner(child, own));

    if (action.run !== undefined) return run(action.run, action.run.logSource || logSource);
    if (action.serial !== undefined) return serial(all(action.serial));
    if (action.parallel !== undefined) return parallel(all(action.parallel));
    if (action.codependent !== undefined) return codependent(all(action.codependent));
    if (action.try !== undefined) return tryStep(inner(action.try.action, action.try.logSource));
    if (action.timeout !== undefined) {
      return timeout(inner(action.timeout.action, action.timeout.logSource), action.timeout.timeoutMs);
    }
    if (action.emitProgress !== undefined) {
      const source = action.emitProgress.logSource || logSource;
      return emitProgress(inner(action.emitProgress.action, source), action.emitProgress, this.log(source));
    }
    const { artifacts, container, uploading, temporaryDirectory, maxTransferBytes } = this.options;
    if (action.download !== undefined) {
      const log = this.log(action.download.logSource || logSource);
      const maxUnpackedBytes = maxTransferBytes;
      return downloadStep({ action: action.download, container, artifacts, log, maxUnpackedBytes });
    }
    if (action.upload !== undefined) {
      const log = this.log(action.upload.logSource || logSource);
      const maxBytes = maxTransferBytes;
      return uploadStep({ action: action.upload, container, uploading, temporaryDirectory, maxBytes, log });
    }
    return { perform: () => Promise.resolve(failedInternally('steps invalid: an action is empty')) };
  }

  private run(action: RunAction, logSource: string): Step {
    const { container, main, launchMain, networkEnvironment, graceMs, logs } = this.options;
    const isSilent = action.suppressLogOutput === true;
    return runStep({
      logSource,
      graceMs,
      output: isSilent ? NO_OUTPUT : logs.output(logSource),
      launch: async (output) =>
        action === main
          ? launchMain(output)
          : container.run(processSpec(action, await networkEnvironment()), output),
    });
  }

  private monitor(action: RunAction, logSource: string): Step {
    const { container, networkEnvironment, graceMs } = this.options;
    return {
      perform: async (signal, onReady) => {
        const captured = new CapturedOutput();
        const step = runStep({
          logSource,
          graceMs,
          output: captured,
          isQuiet: true,
          launch: async (output) => container.run(processSpec(action, await networkEnvironment()), output),
        });
        const result = await step.perform(signal, onReady);
        if (result.status !== 'failed') return result;
        return { ...result, message: captured.text || `Failed to invoke process: ${result.message}` };
      },
    };
  }

  private log(source: string): StepLog {
    return {
      out: (line) => this.options.logs.line(source, 'out', line),
      error: (line) => this.options.logs.line(source, 'err', line),
    };
  }
}

const NO_OUTPUT: LineOutput = { stdout: () => {}, stderr: () => {}, flush: () => {} };

/** What a monitor says; the beginning will do. */
class CapturedOutput implements LineOutput {
  private readonly chunks: Buffer[] = [];
  private left = 4_096;

  stdout(chunk: Buffer): void {
    const part = chunk.subarray(0, this.left);
    this.left -= part.length;
    if (part.length > 0) this.chunks.push(Buffer.from(part));
  }

  stderr(chunk: Buffer): void {
    this.stdout(chunk);
  }

  flush(): void {}

  get text(): string {
    return Buffer.concat(this.chunks).toString().trim();
  }
}

/** The process of a run action; `networkEnvironment` comes last, so that it wins. */
export function processSpec(action: RunAction, networkEnvironment: string[]): ProcessSpec {
  const { path, args = [], env = [], user, dir, resourceLimits } = action;
  return {
    path,
    args,
    env: [...env.map(({ name, value }) => `${name}=${value}`), ...networkEnvironment],
    user,
    ...(dir === undefined || dir === '' ? {} : { dir }),
    ...(resourceLimits?.nofile === undefined ? {} : { nofile: resourceLimits.nofile }),
  };
}

/** Of the first process that an action runs, for a process that is added beside it. */
export function processDefaults(action: Action, networkEnvironment: string[]): ProcessDefaults {
  const run = firstRun(action);
  if (run === undefined) return { user: 'root', env: networkEnvironment };
  const { user, dir, env } = processSpec(run, networkEnvironment);
  return { user, dir, env };
}

function firstRun(action: Action): RunAction | undefined {
  if (action.run !== undefined) return action.run;
  const { timeout: limited, emitProgress: told, try: tried } = action;
  const { serial: ordered, parallel: beside, codependent: bound } = action;
  const inner = [limited?.action, told?.action, tried?.action].filter((each) => each !== undefined);
  const lists = [ordered, beside, bound].flatMap((each) => each?.actions ?? []);
  for (const each of [...inner, ...lists]) {
    const found = firstRun(each);
    if (found !== undefined) return found;
  }
  return undefined;
}
