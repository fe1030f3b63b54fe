import type { Container, ContainerProcess, ProcessOutput, ProcessSpec } from '#rivera/garden';
import type { Action, RunAction } from '#rivera/models';
import { codependent, emitProgress, parallel, serial, timeout, tryStep } from './combinators.js';
import { runStep } from './run-step.js';
import type { LineOutput, LogStreamer } from './log-streamer.js';
import { failed, type Step } from './step.js';

/** What the actions of one container need to be carried out. */
export interface InterpreterOptions {
  container: Container;
  /** The action that is the container's main process, if it has one. */
  main?: RunAction;
  /** Starts the main process, or takes up the one that an earlier agent started. */
  launchMain: (output: ProcessOutput) => Promise<ContainerProcess>;
  /** Environment of the instance's network; it wins over the action's own. */
  networkEnvironment: string[];
  logs: LogStreamer;
  graceMs: number;
}

/** Turns actions into steps (Diego executor, action interpreter). */
export class Interpreter {
  constructor(private readonly options: InterpreterOptions) {}

  /** A log source on an action holds for what is inside it too. */
  step(action: Action, logSource: string): Step {
    const inner = (child: Action, own?: string) => this.step(child, own || logSource);
    const all = ({ actions, logSource: own }: { actions: Action[]; logSource?: string }) =>
      actions.map((child) => inner(child, own));

    if (action.run !== undefined) return this.run(action.run, action.run.logSource || logSource);
    if (action.serial !== undefined) return serial(all(action.serial));
    if (action.parallel !== undefined) return parallel(all(action.parallel));
    if (action.codependent !== undefined) return codependent(all(action.codependent));
    if (action.try !== undefined) return tryStep(inner(action.try.action, action.try.logSource));
    if (action.timeout !== undefined) {
      return timeout(inner(action.timeout.action, action.timeout.logSource), action.timeout.timeoutMs);
    }
    if (action.emitProgress !== undefined) {
      const source = action.emitProgress.logSource || logSource;
      return emitProgress(inner(action.emitProgress.action, source), action.emitProgress, {
        out: (line) => this.options.logs.line(source, 'out', line),
        error: (line) => this.options.logs.line(source, 'err', line),
      });
    }
    const kind = action.download === undefined ? 'upload' : 'download';
    return { perform: async () => failed(`${logSource}: this cell cannot run ${kind} actions`) };
  }

  private run(action: RunAction, logSource: string): Step {
    const { container, main, launchMain, networkEnvironment, graceMs } = this.options;
    return runStep({
      spec: processSpec(action, networkEnvironment),
      logSource,
      graceMs,
      output: this.output(logSource, action.suppressLogOutput === true),
      launch: (spec, output) => (action === main ? launchMain(output) : container.run(spec, output)),
    });
  }

  private output(logSource: string, isSuppressed: boolean): LineOutput {
    if (!isSuppressed) return this.options.logs.output(logSource);
    return { stdout: () => {}, stderr: () => {}, flush: () => {} };
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
