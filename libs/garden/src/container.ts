import type { PortMapping } from '#rivera/models';

/** A process to run inside a container. */
export interface ProcessSpec {
  path: string;
  args: string[];
  /** `NAME=value` entries; they win over the container's own. */
  env: string[];
  /** User name or `uid[:gid]`. */
  user: string;
  /** Absent: the user's home; for a main process, where the backend cannot find that out, what the image says. */
  dir?: string;
  /** Open files the process may have. */
  nofile?: number;
  /** Give the process a terminal; its two output streams become one. */
  tty?: boolean;
  /** Of the terminal at the start; absent: 80 × 24. */
  windowSize?: WindowSize;
  /** Give the process an input, see `ContainerProcess.write`; absent: it reads an end of file. Not of main processes. */
  stdin?: boolean;
}

export interface WindowSize {
  columns: number;
  rows: number;
}

/** Where a process's output goes. Chunks are raw bytes; a sink must not block. */
export interface ProcessOutput {
  stdout(chunk: Buffer): void;
  stderr(chunk: Buffer): void;
  /**
   * When there is such a method, output is read on only after it has resolved, and the process waits meanwhile. Not for
   * main processes, which must never wait for a reader. Such a process does not outlive the agent.
   */
  ready?(): Promise<void>;
}

/** How a process ended. */
export interface ProcessExit {
  /** Exit status; 128 + n when it was ended by signal n. */
  status: number;
  /** The container ran out of memory during the life of the process. */
  outOfMemory: boolean;
}

export interface ContainerProcess {
  readonly id: string;
  /**
   * Resolves when the process ended and its output was delivered. Rejects only when its fate cannot be known: with
   * `not-found` when the container was removed, with `unavailable` when the garden was closed.
   */
  wait(): Promise<ProcessExit>;
  /** No error when it has ended. SIGKILL then ends what it has left behind in its session. */
  signal(signal: ProcessSignal): Promise<void>;
  /**
   * Hands it input. Resolves when there is room for more; input to a process that has ended is dropped. Rejects with
   * `unsupported` when it was not started with `stdin`.
   */
  write(chunk: Buffer): Promise<void>;
  /** The process reads an end of file after what was written. */
  closeInput(): void;
  /** Gives its terminal another size. Rejects with `unsupported` when it has none. */
  resize(size: WindowSize): Promise<void>;
}

export type ProcessSignal = 'SIGTERM' | 'SIGKILL' | 'SIGINT' | 'SIGHUP' | 'SIGQUIT';

export interface ContainerLimits {
  /** 0 = unlimited. */
  memoryMb: number;
  /** 0 = unlimited. */
  diskMb: number;
  /** 0 = unlimited. */
  pids: number;
  /** Share of the processor relative to other containers, where 1024 is usual; 0 = the backend's default. */
  cpuShares: number;
  /** Microseconds of processor time in each 100 ms; absent = unlimited. */
  cpuQuotaUs?: number;
}

/** A file or directory of the host that a container sees. Both paths are absolute. */
export interface BindMount {
  source: string;
  target: string;
  readOnly: boolean;
}

/** A file system in memory; what is in it counts towards the memory limit. */
export interface Tmpfs {
  target: string;
  sizeMb: number;
}

/** Outgoing traffic a container may send; the first address of a range and the last. */
export interface EgressRule {
  protocol: 'all' | 'tcp' | 'udp' | 'icmp';
  /** IPv4 addresses, CIDR blocks or `first-last` ranges. */
  destinations: string[];
  /** Of tcp and udp: single ports are ranges of one. */
  ports?: { start: number; end: number }[];
  /** Of icmp; -1 = any. */
  icmp?: { type: number; code: number };
  log?: boolean;
}

/**
 * What to create. A root filesystem, privileges, mounts or egress rules that a backend cannot give it refuses with
 * `unsupported`; a limit that its capabilities deny is not enforced.
 */
export interface ContainerSpec {
  /** Unique on the cell: the instance guid or task guid. */
  handle: string;
  /** `preloaded:<stack>` or `docker://…`. */
  rootfs: string;
  imageUsername?: string;
  imagePassword?: string;
  env: string[];
  limits: ContainerLimits;
  privileged: boolean;
  /** Container ports to be reachable from outside; duplicates count once. */
  ports: number[];
  /** Container port → the host port it shall have; the backend chooses the others. */
  hostPorts?: Record<number, number>;
  /**
   * Name of a sandbox (`Garden.sandboxes`) whose network the container is to be in: one with just these ports. A sandbox
   * that has gone is done without. From here on it belongs to the container and goes with it, also when this fails.
   */
  sandbox?: string;
  /** Its address is wanted before it starts. Not everywhere can it be had. */
  addressAhead?: boolean;
  /** Only from where the backend allows; a source that is not there is refused. */
  bindMounts?: BindMount[];
  tmpfs?: Tmpfs[];
  /** The root filesystem cannot be written, not by `streamIn` either. */
  readOnlyRootfs?: boolean;
  /** Absent: anything goes out. An empty list: nothing does. */
  egress?: EgressRule[];
  /** Kept with the container, readable after an agent restart, listed by. Never secrets. */
  properties: Record<string, string>;
  /**
   * The process this container exists for. When given, the container's life is that process's life: it survives the
   * agent, and `start` and `attachMain` return it. When absent the container idles and processes are added with `run`.
   */
  main?: ProcessSpec;
}

/** A network of its own, with its ports published, that waits for a container. */
export interface Sandbox {
  name: string;
  ports: PortMapping[];
  /** A container is in it, or is being made for it. */
  isTaken: boolean;
  /** Otherwise it is of no more use. */
  isRunning: boolean;
}

/** Networks made ahead of the containers that will be in them, because making one takes half of the time of a start. */
export interface Sandboxes {
  /** Rejects like `Garden.create`; nothing is left of one that failed. */
  create(sandbox: Pick<Sandbox, 'name' | 'ports'>): Promise<void>;
  /** All of this owner. */
  list(): Promise<Sandbox[]>;
  /** One that is already gone is success. */
  destroy(name: string): Promise<void>;
}

export type ContainerState = 'created' | 'running' | 'stopped';

export interface ContainerInfo {
  handle: string;
  state: ContainerState;
  /** Mapped ports, in the order they were asked for; those the backend chooses may be known from `start` on only. */
  ports: PortMapping[];
  /** The container's own address; absent when it shares the host's. */
  address?: string;
  properties: Record<string, string>;
  /** Name of the sandbox it is in. */
  sandbox?: string;
  /** Present once a main process has ended. */
  mainExit?: ProcessExit;
}

/** One sample of what a container uses; an absent field could not be read. */
export interface ContainerMetrics {
  memoryBytes?: number;
  /** Processor time used since the container started, in nanoseconds. */
  cpuNanoseconds?: number;
  pids?: number;
  /** Of what it has written; may be a minute old. */
  diskBytes?: number;
  /** Received from the network since it started. */
  rxBytes?: number;
  /** Sent to the network since it started. */
  txBytes?: number;
  /** Milliseconds since it started. */
  ageMs?: number;
}

/**
 * One container. Its calls may be made in any order and repeated: what is already so is success.
 */
export interface Container {
  readonly handle: string;
  /** Starts the container and, if it has one, its main process, whose output goes to `output` from its first byte. */
  start(output: ProcessOutput): Promise<ContainerProcess | undefined>;
  /** The main process of a container started earlier, by this agent or the one before; output follows from `sinceMs`. */
  attachMain(output: ProcessOutput, sinceMs?: number): Promise<ContainerProcess>;
  /** Adds a process to a running container. */
  run(spec: ProcessSpec, output: ProcessOutput): Promise<ContainerProcess>;
  /** Unpacks a tar stream below `path` (relative: from the user's home), owned by `user`. */
  streamIn(path: string, tar: NodeJS.ReadableStream, user?: string): Promise<void>;
  /** A tar stream of the file or directory at `path`. Rejects with `not-found` when there is none. */
  streamOut(path: string): Promise<NodeJS.ReadableStream>;
  info(): Promise<ContainerInfo>;
  metrics(): Promise<ContainerMetrics>;
  /** Bytes it has written to its root filesystem. Walks through them: not for every second. Undefined when unknown. */
  diskUsage(): Promise<number | undefined>;
}

/** What a backend can promise. The executor refuses work that needs more. */
export interface GardenCapabilities {
  /**
   * Each container has its own network: its processes listen on the container port. Otherwise they share the host's and
   * listen on the host port, which the backend puts into `PORT` of every process it starts (the first mapping's).
   */
  networkNamespace: boolean;
  /** Root filesystem, processes and users are isolated from the host. */
  isolation: boolean;
  memoryLimit: boolean;
  pidsLimit: boolean;
  /** The backend enforces it; otherwise `diskUsage` can be watched. */
  diskLimit: boolean;
  cpuShares: boolean;
  bindMounts: boolean;
  tmpfs: boolean;
  readOnlyRootfs: boolean;
  egress: boolean;
  terminal: boolean;
  privileged: boolean;
  /** Main processes survive a restart of the agent. */
  survivesAgent: boolean;
}

export interface GardenCapacity {
  memoryMb: number;
  diskMb: number;
  containers: number;
}

/**
 * A source of containers (Cloud Foundry Garden). All containers carry the owner the backend was made with; a backend
 * sees and touches only its own.
 *
 * Errors are `RiveraError`s: `not-found` (no such container, file or image), `already-exists` (handle in use),
 * `unsupported` (the backend cannot keep that promise), `unavailable` (the engine does not answer), `internal`.
 */
export interface Garden {
  readonly backend: 'docker' | 'process' | 'fake';
  readonly capabilities: GardenCapabilities;
  /** Absent where networks cannot be made ahead. */
  readonly sandboxes?: Sandboxes;
  /** Rejects with `unavailable` when the engine does not answer. */
  ping(): Promise<void>;
  capacity(): Promise<GardenCapacity>;
  /** Free bytes of the file system containers write to; undefined when that cannot be known from here. */
  freeDiskBytes(): Promise<number | undefined>;
  /** Root filesystems that can be asked for: URL scheme → stacks, or undefined for any. */
  rootfsProviders(): { scheme: string; stacks?: string[] }[];
  /**
   * Makes a container without starting it. Repeating a create whose answer was lost returns the container that was
   * made when its handle, properties and host ports are the same, and `already-exists` otherwise. `onProgress` hears, in
   * words, of what takes long: an image that is pulled.
   */
  create(spec: ContainerSpec, onProgress?: (text: string) => void): Promise<Container>;
  /** A container of this owner, or a `not-found` rejection. */
  lookup(handle: string): Promise<Container>;
  /** All containers of this owner whose properties include `properties`. */
  list(properties?: Record<string, string>): Promise<ContainerInfo[]>;
  /**
   * What the running containers of this owner use, by handle: those of `handles`, or all. One call of the engine for all
   * of them, where the files of its host can be read. One that does not run, or has just gone, is left out.
   */
  bulkMetrics(handles?: readonly string[]): Promise<Map<string, ContainerMetrics>>;
  /** Kills what runs in it and removes it; one that is already gone is success. */
  destroy(handle: string): Promise<void>;
  /**
   * Removes a container unless it has been started, or its start is under way: then it stays, and the answer is false. For
   * one that an earlier agent left half made, whose last call may still be on its way to the engine.
   */
  discard(handle: string): Promise<boolean>;
  /**
   * Removes images that this cell has pulled and that no container needs, the least recently used first, once the disk is
   * filled to `fromPercent`, until it is to `toPercent`. Returns their names. Absent where there are no images.
   */
  collectImages?(filling: { fromPercent: number; toPercent: number }): Promise<string[]>;
  /** Lets go of connections and timers. Containers go on. */
  close(): Promise<void>;
}
