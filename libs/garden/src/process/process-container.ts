import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chown, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { notFound, RiveraError } from '#rivera/models';
import type {
  Container,
  ContainerInfo,
  ContainerMetrics,
  ContainerProcess,
  ProcessOutput,
  ProcessSpec,
} from '../container.js';
import type { ContainerDirectory, ContainerRecord } from './container-directory.js';
import { resolveHostUser } from './host-user.js';
import type { HostUser } from './host-user.js';
import { bulkMetrics } from './bulk-metrics.js';
import { processState, readIdentity, SupervisedProcess } from './supervised-process.js';

/** A directory and the processes that were started in it. */
export class ProcessContainer implements Container {
  constructor(
    private readonly directory: ContainerDirectory,
    private readonly record: ContainerRecord,
    private readonly closed: AbortSignal,
  ) {}

  get handle(): string {
    return this.record.handle;
  }

  async start(output: ProcessOutput): Promise<ContainerProcess | undefined> {
    const { main } = this.record;
    if (main) {
      const running = await this.adoptMain(output, 'beginning');
      if (running) return running;
    }
    const process = main && (await this.launch(main, this.directory.main, output));
    await writeFile(this.directory.startedFile, '');
    return process;
  }

  async attachMain(output: ProcessOutput, sinceMs?: number): Promise<ContainerProcess> {
    const from = sinceMs === undefined ? 'beginning' : 'cursor';
    const process = await this.adoptMain(output, from);
    if (!process) throw notFound('running main process of the container', this.handle);
    return process;
  }

  async run(spec: ProcessSpec, output: ProcessOutput): Promise<ContainerProcess> {
    return this.launch(spec, join(this.directory.processes, randomUUID()), output);
  }

  async streamIn(path: string, tar: NodeJS.ReadableStream, user = 'root'): Promise<void> {
    const hostUser = await resolveHostUser(user);
    const target = isAbsolute(path) ? this.directory.own(path) : join(this.directory.home(user), path);
    await this.makeDirectory(target, hostUser);
    const child = spawn('tar', ['--extract', '--file', '-', '--directory', target, '--no-same-owner'], {
      stdio: ['pipe', 'ignore', 'pipe'],
      ...hostUser,
    });
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
    const closed = once(child, 'close') as Promise<[number | null]>;
    const [written, ended] = await Promise.allSettled([pipeline(tar, child.stdin), closed]);
    const code = ended.status === 'fulfilled' ? ended.value[0] : String(ended.reason);
    if (written.status === 'fulfilled' && code === 0) return;
    const reason =
      complaint.trim() || (written.status === 'rejected' ? String(written.reason) : `tar ended with ${code}`);
    throw new RiveraError(
      'internal',
      `The files could not be put below ${path} of ${this.handle}: ${reason}.`,
    );
  }

  async streamOut(path: string): Promise<NodeJS.ReadableStream> {
    const source = await this.directory.find(path, this.record.stack);
    if (source === undefined) throw notFound(`file in the container ${this.handle}`, path);
    const [parent, name] = /\/\.?$/.test(path) ? [source, '.'] : [dirname(source), basename(source)];
    const child = spawn('tar', ['--create', '--file', '-', '--directory', parent, name], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(child, 'spawn');
    return child.stdout;
  }

  async info(): Promise<ContainerInfo> {
    const { handle, ports, properties, main } = this.record;
    const hasStarted = await stat(this.directory.startedFile).catch(() => undefined);
    const state = main ? await processState(this.directory.main) : hasStarted && 'running';
    if (state === undefined) return { handle, ports, properties, state: 'created' };
    if (state === 'running') return { handle, ports, properties, state };
    return { handle, ports, properties, state: 'stopped', mainExit: state };
  }

  async metrics(): Promise<ContainerMetrics> {
    return (await bulkMetrics([this])).get(this.handle) ?? {};
  }

  /** Milliseconds since the Unix epoch; undefined when it has not been. */
  async startedAtMs(): Promise<number | undefined> {
    return (await stat(this.directory.startedFile).catch(() => undefined))?.mtimeMs;
  }

  async diskUsage(): Promise<number | undefined> {
    // Its programs may remove what is being counted.
    const { stdout } = await promisify(execFile)('du', ['-sk', this.directory.files]).catch(
      (error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }),
    );
    const kibibytes = Number.parseInt(stdout, 10);
    return Number.isNaN(kibibytes) ? undefined : kibibytes * 1024;
  }

  /** The sessions of all its processes, which are also their process groups. */
  async sessions(): Promise<number[]> {
    const added = await readdir(this.directory.processes).catch(() => []);
    const directories = [this.directory.main, ...added.map((name) => join(this.directory.processes, name))];
    const identities = await Promise.all(directories.map(readIdentity));
    return identities.flatMap((identity) => (identity ? [identity.pid] : []));
  }

  private adoptMain(
    output: ProcessOutput,
    from: 'beginning' | 'cursor',
  ): Promise<SupervisedProcess | undefined> {
    const { main: directory, marker } = this.directory;
    return SupervisedProcess.adopt({ directory, marker, output, from, closed: this.closed });
  }

  private async launch(
    spec: ProcessSpec,
    directory: string,
    output: ProcessOutput,
  ): Promise<SupervisedProcess> {
    if (spec.tty) {
      throw new RiveraError('unsupported', 'This cell runs plain processes and cannot give them a terminal.');
    }
    const user = await resolveHostUser(spec.user);
    const env = this.directory.environment(spec, this.record);
    const cwd = this.directory.workingDirectory(spec);
    for (const path of [cwd, this.directory.home(spec.user), this.directory.own('/tmp')]) {
      await this.makeDirectory(path, user);
    }
    const program = await this.directory.program(spec, { record: this.record, cwd, env });
    const { args, nofile, stdin } = spec;
    return SupervisedProcess.launch(
      {
        directory,
        program,
        args,
        env,
        cwd,
        nofile,
        stdin,
        user,
        marker: this.directory.marker,
        closed: this.closed,
      },
      output,
    );
  }

  /** Makes a directory and those above it; new ones belong to the user. */
  private async makeDirectory(path: string, user: HostUser): Promise<void> {
    const first = await mkdir(path, { recursive: true });
    if (first === undefined || user.uid === undefined) return;
    for (let made = path; made.length >= first.length; made = dirname(made)) {
      await chown(made, user.uid, user.gid ?? user.uid);
    }
  }
}
