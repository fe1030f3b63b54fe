import type { RiveraError } from '#rivera/models';
import type { ContainerSpec } from '../container.js';
import { FakeContainer } from './fake-container.js';
import type { FakeJournal, FakeJournalEntry } from './fake-journal.js';
import type {
  FakeClock,
  FakeMachine,
  FakeNetwork,
  FakeNote,
  FakeOperation,
  FakeScript,
} from './fake-types.js';

/** What shall go wrong. */
export interface FakeFault {
  operation: FakeOperation;
  /** Absent: whatever the container. */
  handle?: string;
  /** Absent: the call hangs until the fault is lifted, and is then carried out. */
  error?: RiveraError;
  /** The call is carried out before it fails, as when an answer is lost. */
  afterwards?: boolean;
  /** How many calls it hits; absent: all until it is lifted. */
  times?: number;
}

interface ActiveFault extends FakeFault {
  lifted: Promise<void>;
  left: number;
}

/** The machine the fake containers are on. Gardens made on one host see the same containers, as after an agent's restart. */
export class FakeHost implements FakeMachine {
  readonly clock: FakeClock;
  readonly script: FakeScript;
  private readonly containers = new Map<string, FakeContainer>();
  private readonly faults = new Set<ActiveFault>();
  private lastPort = 60_999;
  private lastAddress = 0;

  /** @param options.journal brings back what ran when an earlier agent ended, and keeps what happens from now on */
  constructor(
    private readonly options: { script?: FakeScript; clock?: FakeClock; journal?: FakeJournal } = {},
  ) {
    this.script = options.script ?? ((): void => undefined);
    this.clock = options.clock ?? realClock;
    this.restore(options.journal?.entries ?? []);
  }

  /** Makes calls fail or hang from now on; the answer lifts it. */
  inject(fault: FakeFault): () => void {
    let lift: () => void = () => undefined;
    const lifted = new Promise<void>((resolve) => (lift = resolve));
    const active: ActiveFault = { ...fault, lifted, left: fault.times ?? Infinity };
    this.faults.add(active);
    return () => {
      this.faults.delete(active);
      lift();
    };
  }

  async perform<T>(
    operation: FakeOperation,
    handle: string | undefined,
    call: () => T | Promise<T>,
  ): Promise<T> {
    const fault = [...this.faults].find(
      (one) => one.operation === operation && one.left > 0 && (one.handle ?? handle) === handle,
    );
    if (!fault) return call();
    fault.left -= 1;
    if (!fault.error) {
      await fault.lifted;
      return call();
    }
    if (fault.afterwards) await call();
    throw fault.error;
  }

  container(owner: string, handle: string): FakeContainer | undefined {
    return this.containers.get(key(owner, handle));
  }

  containersOf(owner: string): FakeContainer[] {
    return [...this.containers.values()].filter((container) => container.owner === owner);
  }

  add(container: FakeContainer): void {
    const { owner, handle, spec, network } = container;
    this.containers.set(key(owner, handle), container);
    this.note(owner, handle, { type: 'created', spec, network });
  }

  remove(owner: string, handle: string): void {
    if (this.containers.delete(key(owner, handle))) this.note(owner, handle, { type: 'removed' });
  }

  note(owner: string, handle: string, what: FakeNote): void {
    this.options.journal?.write({ atMs: this.clock.now(), owner, handle, ...what });
  }

  private restore(entries: FakeJournalEntry[]): void {
    const histories = new Map<string, FakeJournalEntry[]>();
    for (const entry of entries) {
      const name = key(entry.owner, entry.handle);
      if (entry.type === 'created') histories.set(name, [entry]);
      else if (entry.type === 'removed') histories.delete(name);
      else histories.get(name)?.push(entry);
      if (entry.type === 'created') this.rememberPorts(entry.network);
    }
    for (const [name, [created, ...later]] of histories) {
      if (created?.type !== 'created') continue;
      const container = new FakeContainer(created.owner, created.spec, this, created.network);
      this.containers.set(name, container);
      const started = later.find(({ type }) => type === 'started');
      const ended = later.find((entry) => entry.type === 'ended');
      if (started !== undefined) container.resume(started.atMs, ended);
    }
  }

  private rememberPorts({ ports }: FakeNetwork): void {
    this.lastAddress += 1;
    this.lastPort = Math.max(this.lastPort, ...ports.map(({ hostPort }) => hostPort));
  }

  network(spec: ContainerSpec): FakeNetwork {
    this.lastAddress += 1;
    const address = `10.254.${(this.lastAddress >> 8) & 255}.${this.lastAddress & 255}`;
    const ports = [...new Set(spec.ports)].map((containerPort) => ({
      containerPort,
      hostPort: spec.hostPorts?.[containerPort] ?? (this.lastPort += 1),
    }));
    return { address, ports };
  }
}

const realClock: FakeClock = {
  now: () => Date.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

function key(owner: string, handle: string): string {
  return `${owner}\0${handle}`;
}
