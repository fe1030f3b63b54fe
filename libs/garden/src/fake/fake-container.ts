import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { extract, pack } from 'tar-stream';
import { notFound, RiveraError } from '#rivera/models';
import type {
  Container,
  ContainerInfo,
  ContainerMetrics,
  ContainerProcess,
  ContainerSpec,
  ProcessExit,
  ProcessOutput,
  ProcessSpec,
} from '../container.js';
import { FakeProcess } from './fake-process.js';
import type { FakeMachine, FakeNetwork } from './fake-types.js';

const MEBIBYTE = 1024 * 1024;
const NANOSECONDS_PER_MILLISECOND = 1_000_000;
const SILENT: ProcessOutput = { stdout: () => undefined, stderr: () => undefined };
/** What a played process uses when its memory is unlimited. */
const MEMORY_MB = 16;

/** A container in memory: instant, and as its script plays it. */
export class FakeContainer implements Container {
  readonly network: FakeNetwork;
  main?: FakeProcess;
  private readonly files = new Map<string, Buffer>();
  private readonly processes = new Set<FakeProcess>();
  private startedAtMs?: number;
  private processCount = 0;

  constructor(
    readonly owner: string,
    readonly spec: ContainerSpec,
    private readonly host: FakeMachine,
    network = host.network(spec),
  ) {
    this.network = network;
  }

  get handle(): string {
    return this.spec.handle;
  }

  start(output: ProcessOutput): Promise<ContainerProcess | undefined> {
    return this.host.perform('start', this.handle, () => {
      const isFirst = this.startedAtMs === undefined;
      if (this.main) this.main.attach(output);
      else if (this.spec.main) this.main = this.play(this.spec.main, output);
      this.startedAtMs ??= this.host.clock.now();
      if (isFirst) this.begin();
      return this.main;
    });
  }

  attachMain(output: ProcessOutput, sinceMs?: number): Promise<ContainerProcess> {
    return this.host.perform('attachMain', this.handle, () => {
      if (!this.main) throw notFound('running main process of the container', this.handle);
      this.main.attach(output, sinceMs);
      return this.main;
    });
  }

  run(spec: ProcessSpec, output: ProcessOutput): Promise<ContainerProcess> {
    return this.host.perform('run', this.handle, () => {
      if (this.state !== 'running') {
        throw new RiveraError('internal', `The container ${this.handle} does not run; start it first.`);
      }
      return this.play(spec, output);
    });
  }

  streamIn(path: string, tar: NodeJS.ReadableStream, user = 'root'): Promise<void> {
    return this.host.perform('streamIn', this.handle, async () => {
      const home = user === 'root' ? '/root' : `/home/${user}`;
      const input = extract();
      tar.on('error', (error) => input.destroy(error));
      for await (const entry of tar.pipe(input)) {
        const chunks: Uint8Array[] = [];
        for await (const chunk of entry as AsyncIterable<Uint8Array>) chunks.push(chunk);
        if (entry.header.type === 'file') {
          this.files.set(posix.resolve(home, path, entry.header.name), Buffer.concat(chunks));
        }
      }
    });
  }

  streamOut(path: string): Promise<NodeJS.ReadableStream> {
    return this.host.perform('streamOut', this.handle, async () => {
      const source = posix.resolve('/', path);
      const parent = posix.dirname(source);
      const found = [...this.files].filter(([name]) => name === source || name.startsWith(`${source}/`));
      if (found.length === 0) throw notFound(`file in the container ${this.handle}`, path);
      const archive = pack();
      for (const [name, content] of found) archive.entry({ name: posix.relative(parent, name) }, content);
      archive.finalize();
      return Readable.from(archive as unknown as AsyncIterable<Buffer>, { objectMode: false });
    });
  }

  info(): Promise<ContainerInfo> {
    return Promise.resolve(this.snapshot());
  }

  metrics(): Promise<ContainerMetrics> {
    return this.host.perform('metrics', this.handle, () => {
      if (this.startedAtMs === undefined || this.state !== 'running') return {};
      const ageMs = this.host.clock.now() - this.startedAtMs;
      return {
        ageMs,
        memoryBytes: (this.spec.limits.memoryMb / 2 || MEMORY_MB) * MEBIBYTE,
        cpuNanoseconds: (ageMs + 1) * NANOSECONDS_PER_MILLISECOND,
        pids: this.processes.size,
      };
    });
  }

  diskUsage(): Promise<number | undefined> {
    return this.host.perform('metrics', this.handle, () =>
      [...this.files.values()].reduce((sum, { length }) => sum + length, 0),
    );
  }

  /** As it was when an earlier agent ended; its program has gone on meanwhile. */
  resume(startedAtMs: number, ended?: ProcessExit): void {
    this.startedAtMs = startedAtMs;
    if (this.spec.main === undefined) return;
    this.main = this.play(this.spec.main, SILENT, this.host.clock.now() - startedAtMs);
    if (ended?.outOfMemory) this.main.runOutOfMemory();
    else if (ended !== undefined) this.main.exit(ended.status);
    else this.noteEnd(this.main);
  }

  snapshot(): ContainerInfo {
    const { handle, spec, network } = this;
    const mainExit = this.main?.exited;
    return {
      handle,
      state: this.state,
      ports: network.ports,
      address: network.address,
      properties: spec.properties,
      ...(mainExit && { mainExit }),
    };
  }

  /** Ends all its processes. */
  kill(exit: { outOfMemory: boolean } = { outOfMemory: false }): void {
    for (const process of this.processes) {
      if (exit.outOfMemory) process.runOutOfMemory();
      else process.exit(137);
    }
  }

  private get state(): ContainerInfo['state'] {
    if (this.startedAtMs === undefined) return 'created';
    return this.main?.exited ? 'stopped' : 'running';
  }

  private begin(): void {
    this.host.note(this.owner, this.handle, { type: 'started' });
    if (this.main !== undefined) this.noteEnd(this.main);
  }

  private noteEnd(main: FakeProcess): void {
    void main.wait().then((exit) => this.host.note(this.owner, this.handle, { type: 'ended', ...exit }));
  }

  private play(spec: ProcessSpec, output: ProcessOutput, elapsedMs = 0): FakeProcess {
    this.processCount += 1;
    const process = new FakeProcess({
      id: `${this.handle}/${this.processCount}`,
      spec,
      container: this.spec,
      files: this.files,
      clock: this.host.clock,
      elapsedMs,
      whenEnded: () => this.processes.delete(process),
    });
    process.attach(output);
    this.processes.add(process);
    try {
      this.host.script(process);
      process.isUnderWay = true;
    } catch (error) {
      this.processes.delete(process);
      throw error;
    }
    return process;
  }
}
