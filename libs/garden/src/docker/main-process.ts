import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import type { ContainerProcess, ProcessExit, ProcessOutput, ProcessSignal } from '../container.js';
import { ProcessInput, refuseResize } from '../process-input.js';
import { demultiplex } from './demultiplexer.js';
import { asking, askingUnless, isStreamBroken } from './engine-error.js';
import type { Engine } from './engine.js';
import { persistently } from './persistently.js';

const RECONNECT_PAUSE_MS = 250;

export interface MainProcessOptions {
  engine: Engine;
  id: string;
  tty: boolean;
  output: ProcessOutput;
  /** The stream attached before the start; without it output is taken from the log, from `sinceMs`. */
  attached?: NodeJS.ReadableStream;
  sinceMs?: number;
  /** Aborted when the garden is closed: following ends, the container goes on. */
  closed: AbortSignal;
}

/**
 * The process a container exists for. Losing the connection to the engine says nothing about the process, so it is
 * waited for again and its output is taken up from the log where it broke off.
 */
export class MainProcess implements ContainerProcess {
  readonly id: string;
  private readonly exit: Promise<ProcessExit>;
  private readonly input = new ProcessInput(undefined);

  constructor(private readonly options: MainProcessOptions) {
    this.id = options.id;
    this.exit = this.follow();
    // The one who waits is told; nobody has to.
    this.exit.catch(() => undefined);
  }

  wait(): Promise<ProcessExit> {
    return this.exit;
  }

  write(chunk: Buffer): Promise<void> {
    return this.input.write(chunk);
  }

  closeInput(): void {
    this.input.close();
  }

  resize(): Promise<void> {
    return refuseResize();
  }

  async signal(signal: ProcessSignal): Promise<void> {
    // 404: gone, 409: not running.
    await askingUnless([404, 409], `The signal ${signal} could not be sent to container ${this.id}`, () =>
      this.container.kill({ signal }),
    );
  }

  /** Not kept: it is twenty objects, and most processes are only waited for. */
  private get container(): Docker.Container {
    return this.options.engine.api.getContainer(this.id);
  }

  /**
   * Its output ends when it does. The engine's own `wait` is of no use for this: it answers in two parts, and the client
   * does not notice when the second never comes.
   */
  private async follow(): Promise<ProcessExit> {
    await this.followOutput();
    const { State } = await this.persist(() => this.container.inspect());
    return { status: State.ExitCode, outOfMemory: State.OOMKilled };
  }

  private async followOutput(): Promise<void> {
    let since = this.options.sinceMs ?? 0;
    let stream = this.options.attached;
    const sink: ProcessOutput = {
      stdout: (chunk) => {
        since = Date.now();
        this.options.output.stdout(chunk);
      },
      stderr: (chunk) => {
        since = Date.now();
        this.options.output.stderr(chunk);
      },
    };
    for (;;) {
      stream ??= await this.persist(() => this.openLog(since));
      const finished = await this.read(stream, sink);
      const state = await this.persist(() => this.container.inspect());
      if (finished && !state.State.Running) return;
      stream = undefined;
    }
  }

  /** Whether the stream came to its proper end. */
  private async read(stream: NodeJS.ReadableStream, sink: ProcessOutput): Promise<boolean> {
    const stop = (): void => (stream as NodeJS.ReadableStream & { destroy(): void }).destroy() as undefined;
    this.options.closed.addEventListener('abort', stop, { once: true });
    try {
      await demultiplex(stream as AsyncIterable<Buffer>, sink, { raw: this.options.tty });
      return true;
    } catch (error) {
      this.options.closed.throwIfAborted();
      if (!isStreamBroken(error)) throw error;
      await sleep(RECONNECT_PAUSE_MS);
      return false;
    } finally {
      this.options.closed.removeEventListener('abort', stop);
    }
  }

  private openLog(sinceMs: number): Promise<NodeJS.ReadableStream> {
    return this.options.engine.streams.getContainer(this.id).logs({
      follow: true,
      stdout: true,
      stderr: true,
      since: sinceMs / 1000,
      abortSignal: this.options.closed,
    });
  }

  private persist<T>(call: () => Promise<T>): Promise<T> {
    return persistently(`Container ${this.id} cannot be followed`, this.options.closed, call);
  }
}

/** Opens the stream that gets a main process's output from its first byte: to be called before the start. */
export function attachBeforeStart(engine: Engine, id: string): Promise<NodeJS.ReadableStream> {
  return asking(`The output of container ${id} could not be attached`, () =>
    engine.streams.getContainer(id).attach({ stream: true, stdout: true, stderr: true }),
  );
}
