import type { ContainerInfo, Sandbox, Sandboxes } from '#rivera/garden';
import { RiveraLogger } from '#rivera/platform';
import { PortPool } from './port-pool.js';
import { SandboxPool } from './sandbox-pool.js';

/** Networks as an engine would have them. */
class PlayedSandboxes implements Sandboxes {
  readonly there = new Map<string, Sandbox>();
  most = 0;
  failures = 0;

  create({ name, ports }: Pick<Sandbox, 'name' | 'ports'>): Promise<void> {
    if (this.failures > 0) {
      this.failures -= 1;
      return Promise.reject(new Error('the engine is tired'));
    }
    this.there.set(name, { name, ports, isTaken: false, isRunning: true });
    this.most = Math.max(this.most, [...this.there.values()].filter(({ isTaken }) => !isTaken).length);
    return Promise.resolve();
  }

  list(): Promise<Sandbox[]> {
    return Promise.resolve([...this.there.values()].map((each) => ({ ...each })));
  }

  destroy(name: string): Promise<void> {
    this.there.delete(name);
    return Promise.resolve();
  }

  /** Its container is made. */
  take(name: string): void {
    this.there.get(name)!.isTaken = true;
  }

  get shapes(): string[] {
    const free = [...this.there.values()].filter(({ isTaken }) => !isTaken);
    return free.map(({ ports }) => ports.map(({ containerPort }) => containerPort).join('+')).toSorted();
  }
}

const LOGGER = RiveraLogger.create({ app: 'cell', level: 'fatal' });

describe('SandboxPool', () => {
  let sandboxes: PlayedSandboxes;
  let ports: PortPool;
  const pools: SandboxPool[] = [];
  const poolOf = async (more: { size?: number; containers?: ContainerInfo[] } = {}) => {
    const { size = 3, containers = [] } = more;
    const pool = new SandboxPool({
      sandboxes,
      size,
      firstPorts: [8080],
      ports,
      logger: LOGGER,
      quietMs: 1,
      retryMs: 1,
    });
    pools.push(pool);
    const lost = await pool.synchronize(containers);
    return { pool, lost };
  };
  const full = (pool: SandboxPool, ...shapes: string[]): Promise<void> =>
    vi.waitFor(() => {
      expect(sandboxes.shapes).toEqual(shapes);
      expect(pool.waiting).toBe(shapes.length);
    }, 10_000);

  beforeEach(() => {
    sandboxes = new PlayedSandboxes();
    // Above those of outgoing connections, which other tests have.
    ports = new PortPool({ first: 61_001, last: 61_300 }, 'owner');
  });
  afterEach(() => pools.splice(0).forEach((pool) => pool.close()));

  it('has as many waiting as it was told to, and makes another for each that is given', async () => {
    const { pool } = await poolOf();
    await full(pool, '8080', '8080', '8080');
    const given = pool.take('a', [8080])!;
    expect(given.ports).toEqual([{ containerPort: 8080, hostPort: expect.any(Number) as number }]);
    sandboxes.take(given.name);
    await full(pool, '8080', '8080', '8080');
    expect(sandboxes.most).toBe(3);
  });

  it('follows what containers ask for, and never has more than it was told', async () => {
    const { pool } = await poolOf();
    await full(pool, '8080', '8080', '8080');
    expect(pool.take('a', [])).toBeUndefined();
    expect(pool.take('b', [80, 443])).toBeUndefined();
    await full(pool, '', '80+443', '8080');
    expect(sandboxes.most).toBe(3);
    expect(pool.take('c', [443, 80])).toBeUndefined();
    expect(pool.take('d', [80, 443, 80])?.ports.map(({ containerPort }) => containerPort)).toEqual([80, 443]);
  });

  it('gives no host port of one that waits to anybody else', async () => {
    const { pool } = await poolOf();
    await full(pool, '8080', '8080', '8080');
    const held = [...sandboxes.there.values()].flatMap((each) => each.ports.map(({ hostPort }) => hostPort));
    expect(new Set(held).size).toBe(3);
    const given = pool.take('a', [8080])!;
    sandboxes.take(given.name);
    const acquired: number[] = [];
    const all = async (): Promise<never> => {
      for (;;) acquired.push(...Object.values(await ports.acquire('b', [1])));
    };
    await expect(all()).rejects.toMatchObject({ code: 'unavailable' });
    expect(acquired.length).toBeGreaterThan(0);
    expect(acquired.filter((port) => held.includes(port))).toEqual([]);
  });

  it('takes up what an earlier agent left, and removes what has ended or is too much', async () => {
    const leave = (name: string, containerPort: number, more: Partial<Sandbox> = {}): void => {
      const sandbox = { name, ports: [{ containerPort, hostPort: 61_100 + sandboxes.there.size }] };
      sandboxes.there.set(name, { ...sandbox, isTaken: false, isRunning: true, ...more });
    };
    leave('kept', 8080);
    leave('ended', 8080, { isRunning: false });
    leave('other', 9999);
    leave('taken', 8080, { isTaken: true });
    const { pool } = await poolOf({ size: 2 });
    await full(pool, '8080', '8080');
    expect([...sandboxes.there.keys()]).toEqual(expect.arrayContaining(['kept', 'taken']));
    expect(sandboxes.there.has('ended')).toBe(false);
    expect(sandboxes.there.has('other')).toBe(false);
  });

  it('that is to have none removes what was left, and what is in use stays', async () => {
    sandboxes.there.set('left', { name: 'left', ports: [], isTaken: false, isRunning: true });
    sandboxes.there.set('taken', { name: 'taken', ports: [], isTaken: true, isRunning: true });
    const { pool } = await poolOf({ size: 0 });
    expect([...sandboxes.there.keys()]).toEqual(['taken']);
    expect(pool.take('a', [])).toBeUndefined();
  });

  it('leaves one that was given and whose container is still being made', async () => {
    const { pool } = await poolOf({ size: 1 });
    await full(pool, '8080');
    const { name } = pool.take('a', [8080])!;
    await pool.synchronize([]);
    expect(sandboxes.there.has(name)).toBe(true);
    pool.release('a');
    await pool.synchronize([]);
    expect(sandboxes.there.has(name)).toBe(false);
  });

  it('names running containers whose network has ended', async () => {
    const inside = (handle: string, sandbox: string): ContainerInfo => ({
      handle,
      sandbox,
      state: 'running',
      ports: [],
      properties: {},
    });
    sandboxes.there.set('up', { name: 'up', ports: [], isTaken: true, isRunning: true });
    sandboxes.there.set('down', { name: 'down', ports: [], isTaken: true, isRunning: false });
    const { lost } = await poolOf({
      containers: [inside('a', 'up'), inside('b', 'down'), inside('c', 'gone')],
    });
    expect(lost).toEqual(['b']);
  });

  it('goes on when the engine fails', async () => {
    sandboxes.failures = 2;
    const { pool } = await poolOf({ size: 1 });
    await full(pool, '8080');
  });
});
