import { posix } from 'node:path';
import type Docker from 'dockerode';
import type {
  ContainerInfo as EngineContainerInfo,
  ContainerInspectInfo,
  ContainerInspectOptions,
} from 'dockerode';
import { notFound, RiveraError } from '#rivera/models';
import type {
  Container,
  ContainerInfo,
  ContainerMetrics,
  ContainerProcess,
  ContainerState,
  ProcessOutput,
  ProcessSpec,
} from '../container.js';
import { exists, putExecutable, putTree, resolveOwner } from './archive.js';
import {
  LABEL_HANDLE,
  LABEL_MAIN,
  portsOfLabel,
  propertiesOf,
  SANDBOX_BUSYBOX,
  sandboxNetworkOf,
} from './container-options.js';
import { asking, askingUnless } from './engine-error.js';
import type { Engine } from './engine.js';
import { endForgottenExecs, ExecProcess } from './exec-process.js';
import { attachBeforeStart, MainProcess } from './main-process.js';
import { measured, readMetrics } from './metrics.js';
import { startEngineContainer } from './start-container.js';

export interface DockerContainerOptions {
  engine: Engine;
  /** The engine's id. */
  id: string;
  handle: string;
  /** Read once for each garden. */
  sandboxBusybox(): Promise<Buffer>;
  closed: AbortSignal;
  /** What is known of one that was just made, so that it need not be asked for. */
  fresh?: { main?: ProcessSpec; hasProgram: ProgramCheck };
  /** To be done at once when the engine has started it. */
  afterStart?(container: Docker.Container): Promise<void>;
}

/** Whether the program of a main process is known to be there, and whom to tell that it is. */
export interface ProgramCheck {
  readonly isKnown: boolean;
  found(): void;
}

/** One container of the engine. Of what becomes of it nothing is kept here: the engine is asked each time. */
export class DockerContainer implements Container {
  readonly handle: string;
  private sandbox?: Promise<void>;

  constructor(private readonly options: DockerContainerOptions) {
    this.handle = options.handle;
  }

  async start(output: ProcessOutput): Promise<ContainerProcess | undefined> {
    const fresh = this.options.fresh;
    if (fresh !== undefined) {
      delete this.options.fresh;
      if (fresh.main === undefined) return this.startIdle();
      return this.startMain(fresh.main.tty ?? false, output, this.requireProgram(fresh));
    }
    const info = await this.inspect();
    const { Tty, Entrypoint, WorkingDir, Labels } = info.Config;
    const hasMain = LABEL_MAIN in Labels;
    if (info.State.Status !== 'created') return hasMain ? this.follow(Tty, { output }) : undefined;
    if (!hasMain) return this.startIdle();
    const program = [Entrypoint ?? []].flat()[0] ?? '';
    return this.startMain(Tty, output, this.requireProgramAt(program, WorkingDir));
  }

  async attachMain(output: ProcessOutput, sinceMs?: number): Promise<ContainerProcess> {
    const info = await this.inspect();
    if (!(LABEL_MAIN in info.Config.Labels) || info.State.Status === 'created') {
      throw notFound('running main process of the container', this.handle);
    }
    const { engine, id } = this.options;
    await endForgottenExecs(engine, id, (info as { ExecIDs?: string[] | null }).ExecIDs ?? []);
    return this.follow(info.Config.Tty, { output, sinceMs });
  }

  async run(spec: ProcessSpec, output: ProcessOutput): Promise<ContainerProcess> {
    await this.provideSandbox();
    const { engine, id, closed } = this.options;
    return ExecProcess.start({ engine, containerId: id, handle: this.handle, spec, output, closed });
  }

  async streamIn(path: string, tar: NodeJS.ReadableStream, user = 'root'): Promise<void> {
    const { home, ...owner } = await resolveOwner(this.container, user);
    await putTree({ container: this.container, path: posix.resolve('/', home, path), tar, owner });
  }

  async streamOut(path: string): Promise<NodeJS.ReadableStream> {
    const tar = await askingUnless([404], `${path} could not be read from container ${this.handle}`, () =>
      this.options.engine.streams.getContainer(this.options.id).getArchive({ path }),
    );
    if (!tar) throw notFound(`file in the container ${this.handle}`, path);
    return tar;
  }

  async info(): Promise<ContainerInfo> {
    return containerInfo(await this.inspect());
  }

  async metrics(): Promise<ContainerMetrics> {
    const running = measured(await this.inspect());
    return running === undefined ? {} : readMetrics(this.options.engine, running);
  }

  async diskUsage(): Promise<number | undefined> {
    const info = await askingUnless([404], `The size of container ${this.handle} could not be read`, () =>
      this.container.inspect({ size: true } as ContainerInspectOptions),
    );
    return (info as { SizeRw?: number } | undefined)?.SizeRw;
  }

  /** Not kept: it is twenty objects, and most containers are only watched. */
  private get container(): Docker.Container {
    return this.options.engine.api.getContainer(this.options.id);
  }

  private async startIdle(): Promise<undefined> {
    await this.provideSandbox();
    await this.startEngineContainer();
  }

  /** The stream that gets the output from its first byte must stand before the start. */
  private async startMain(tty: boolean, output: ProcessOutput, checked: Promise<void>): Promise<MainProcess> {
    const attaching = attachBeforeStart(this.options.engine, this.options.id);
    try {
      await checked;
      await attaching;
      await this.startEngineContainer();
    } catch (error) {
      const letGo = (stream: NodeJS.ReadableStream): void =>
        (stream as NodeJS.ReadableStream & { destroy(): void }).destroy();
      attaching.then(letGo, () => undefined);
      throw error;
    }
    return this.follow(tty, { output, attached: await attaching });
  }

  private async requireProgram({
    main,
    hasProgram,
  }: NonNullable<DockerContainerOptions['fresh']>): Promise<void> {
    if (main === undefined || hasProgram.isKnown) return;
    const isRelative = main.path.includes('/') && !main.path.startsWith('/');
    // Where it is relative to, the image may say.
    const directory = isRelative ? (await this.inspect()).Config.WorkingDir : '/';
    await this.requireProgramAt(main.path, directory);
    hasProgram.found();
  }

  /**
   * The engine's init is what is started first, and finds out too late that there is no program: as an exit status 127
   * and a line of its own among the output. A name without a directory is left to it, because only it knows PATH.
   */
  private async requireProgramAt(program: string, directory: string): Promise<void> {
    if (!program.includes('/')) return;
    const path = posix.resolve('/', directory, program);
    if (!(await exists(this.container, path)))
      throw notFound(`program in the container ${this.handle}`, program);
  }

  private inspect(): Promise<ContainerInspectInfo> {
    return asking(`The container ${this.handle} could not be inspected`, () => this.container.inspect());
  }

  private async startEngineContainer(): Promise<void> {
    await startEngineContainer(this.container, `The container ${this.handle} could not be started`);
    await this.options.afterStart?.(this.container);
  }

  private follow(
    tty: boolean,
    options: { output: ProcessOutput; attached?: NodeJS.ReadableStream; sinceMs?: number },
  ): MainProcess {
    const { engine, id, closed } = this.options;
    return new MainProcess({ engine, id, closed, tty, ...options });
  }

  /** Containers with a main process get the sandbox's busybox when a process is added to them for the first time. */
  private provideSandbox(): Promise<void> {
    this.sandbox ??= this.putSandbox().catch((error: unknown) => {
      this.sandbox = undefined;
      throw error;
    });
    return this.sandbox;
  }

  private async putSandbox(): Promise<void> {
    if (await exists(this.container, SANDBOX_BUSYBOX)) return;
    await putExecutable(this.container, SANDBOX_BUSYBOX, await this.options.sandboxBusybox());
  }
}

export function containerInfo(info: ContainerInspectInfo): ContainerInfo {
  const { State, Config, NetworkSettings } = info;
  const state = stateOf(State.Status);
  const addresses = Object.values(NetworkSettings.Networks).map((network) => network.IPAddress);
  const inSandbox = sandboxNetworkOf(Config.Labels);
  return {
    handle: Config.Labels[LABEL_HANDLE] ?? '',
    state,
    ports: portsOf(info),
    address: addresses.find((address) => address !== ''),
    ...inSandbox,
    properties: propertiesOf(Config.Labels),
    ...(state === 'stopped' &&
      LABEL_MAIN in Config.Labels && { mainExit: { status: State.ExitCode, outOfMemory: State.OOMKilled } }),
  };
}

/** The same of one that runs, from the engine's list. */
export function runningInfo({ Labels, Ports, NetworkSettings }: EngineContainerInfo): ContainerInfo {
  const addresses = Object.values(NetworkSettings.Networks).map((network) => network.IPAddress);
  return {
    handle: Labels[LABEL_HANDLE] ?? '',
    state: 'running',
    ports: portsOfLabel(Labels).flatMap((containerPort) => {
      const found = Ports.find(({ PrivatePort, Type, PublicPort }) => {
        return PrivatePort === containerPort && Type === 'tcp' && PublicPort > 0;
      });
      return found === undefined ? [] : [{ containerPort, hostPort: found.PublicPort }];
    }),
    address: addresses.find((address) => address !== ''),
    ...sandboxNetworkOf(Labels),
    properties: propertiesOf(Labels),
  };
}

/** In the order they were asked for. Before the start there is only what was asked for. */
function portsOf({ Config, HostConfig, NetworkSettings }: ContainerInspectInfo): ContainerInfo['ports'] {
  const asked = HostConfig.PortBindings as Record<string, { HostPort?: string }[] | null> | null;
  return portsOfLabel(Config.Labels).flatMap((containerPort) => {
    const name = `${containerPort}/tcp`;
    const hostPort = Number(NetworkSettings.Ports?.[name]?.[0]?.HostPort ?? asked?.[name]?.[0]?.HostPort);
    return hostPort > 0 ? [{ containerPort, hostPort }] : [];
  });
}

function stateOf(status: string): ContainerState {
  if (status === 'created') return 'created';
  return status === 'exited' || status === 'dead' || status === 'removing' ? 'stopped' : 'running';
}

/** A handle that is in use for something else. */
export function handleInUse(handle: string): RiveraError {
  return new RiveraError(
    'already-exists',
    `The handle ${handle} is already in use: destroy that container first.`,
  );
}
