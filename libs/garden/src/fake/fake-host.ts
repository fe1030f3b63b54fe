import type { RiveraError } from '#rivera/models';
import type { ContainerSpec } from '../container.js';
import type { FakeContainer } from './fake-container.js';
import type { FakeClock, FakeMachine, FakeNetwork, FakeOperation, FakeScript } from './fake-types.js';

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

  constructor(options: { script?: FakeScript; clock?: FakeClock } = {}) {
    this.script = options.script ?? ((): void => undefined);
    this.clock = options.clock ?? realClock;
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
    this.containers.set(key(container.owner, container.handle), container);
  }

  remove(owner: string, handle: string): void {
    this.containers.delete(key(owner, handle));
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
