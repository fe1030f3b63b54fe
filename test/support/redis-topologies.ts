import { type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { stablePorts } from './ports.js';
import { launchRedis, launchServer, type RedisHarness, type RedisKind, startRedis } from './redis.js';
import { waitFor } from './wait-for.js';

const MASTER_NAME = 'rivera';
/** A master that is silent for this long has failed. */
const NODE_TIMEOUT_MS = 2_000;

export interface TopologyOptions {
  appendonly?: boolean;
  /** `min-replicas-to-write` of every node. */
  minReplicasToWrite?: number;
}

/** One redis-server of several. */
export class RedisNode {
  private server?: ChildProcess;

  constructor(
    readonly port: number,
    private readonly launch: () => Promise<ChildProcess>,
  ) {}

  async start(): Promise<void> {
    if (!this.isRunning) this.server = await this.launch();
  }

  get isRunning(): boolean {
    return this.server !== undefined && this.server.exitCode === null && this.server.signalCode === null;
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill9(): Promise<void> {
    if (!this.isRunning) return;
    const gone = once(this.server!, 'exit');
    this.server!.kill('SIGKILL');
    await gone;
  }

  /** Lets it hang: its connections stay, and nothing answers. */
  pause(): void {
    this.server!.kill('SIGSTOP');
  }

  resume(): void {
    this.server!.kill('SIGCONT');
  }

  /** Asks something over a connection of its own. */
  async ask<T>(question: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis(this.port, '127.0.0.1', { lazyConnect: true, retryStrategy: () => null });
    redis.on('error', () => undefined);
    try {
      await redis.connect();
      return await question(redis);
    } finally {
      redis.disconnect();
    }
  }

  async role(): Promise<string> {
    const info = await this.ask((redis) => redis.info('replication'));
    return /role:(\w+)/.exec(info)?.[1] ?? '';
  }
}

/** Several redis-servers that replace each other. `kill9` and `restart` are of all that hold data. */
export interface RedisTopology extends RedisHarness {
  readonly nodes: readonly RedisNode[];
  /** Replicas that each master has when all is well. */
  readonly replicas: number;
  /** Those that are masters now. */
  masters(): Promise<RedisNode[]>;
  /** Waits until every master has its replicas, in step. */
  untilReplicated(): Promise<void>;
}

/** One server, 3 masters with a replica each, or a master with 2 replicas and 3 sentinels, all on ports of their own. */
export async function startRedisOf(
  kind: RedisKind = kindOfRun(),
  options: TopologyOptions & { port?: number } = {},
): Promise<RedisHarness> {
  if (kind === 'cluster') return startRedisCluster(options);
  if (kind === 'sentinel') return startRedisSentinel(options);
  return startRedis(options);
}

function kindOfRun(): RedisKind {
  const kind = process.env.RIVERA_TEST_REDIS || 'single';
  if (kind !== 'single' && kind !== 'cluster' && kind !== 'sentinel')
    throw new Error(`RIVERA_TEST_REDIS is ${kind}; it may be single, cluster or sentinel.`);
  return kind;
}

/** A Redis Cluster of 3 masters with a replica each. */
export async function startRedisCluster(options: TopologyOptions = {}): Promise<RedisTopology> {
  const dir = await mkdtemp(join(tmpdir(), 'rivera-redis-cluster-'));
  const ports = await stablePorts(12);
  const nodes = ports.slice(0, 6).map(
    (port, i) =>
      new RedisNode(port, async () => {
        const own = join(dir, `${port}`);
        await mkdir(own, { recursive: true });
        const args = ['--cluster-enabled', 'yes', '--cluster-port', `${ports[6 + i]}`];
        args.push('--cluster-node-timeout', `${NODE_TIMEOUT_MS}`);
        return launchRedis({ port, dir: own, args: [...args, ...replication(options)], ...isKept(options) });
      }),
  );
  await Promise.all(nodes.map((node) => node.start()));
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  const create = ['--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes'];
  await promisify(execFile)('redis-cli', create);
  const url = `redis+cluster://${addresses.join(',')}`;
  const topology = topologyOf(url, nodes, {
    replicas: 1,
    masters: 3,
    isWell: async (running) => {
      const infos = await Promise.all(running.map((node) => node.ask((redis) => redis.cluster('INFO'))));
      return infos.every((info) => info.includes('cluster_state:ok'));
    },
    cleanUp: () => rm(dir, { recursive: true, force: true }),
  });
  await topology.untilReplicated();
  return topology;
}

/** A master with 2 replicas, and 3 sentinels that replace it. */
export async function startRedisSentinel(options: TopologyOptions = {}): Promise<RedisTopology> {
  const dir = await mkdtemp(join(tmpdir(), 'rivera-redis-sentinel-'));
  const ports = await stablePorts(6);
  const [first = 0] = ports;
  const nodes = ports.slice(0, 3).map(
    (port, i) =>
      new RedisNode(port, async () => {
        const own = join(dir, `${port}`);
        await mkdir(own, { recursive: true });
        const args = i === 0 ? [] : ['--replicaof', '127.0.0.1', `${first}`];
        return launchRedis({ port, dir: own, args: [...args, ...replication(options)], ...isKept(options) });
      }),
  );
  const sentinels = ports.slice(3).map(
    (port) =>
      new RedisNode(port, async () => {
        const file = join(dir, `sentinel-${port}.conf`);
        const settings = [
          `port ${port}`,
          'bind 127.0.0.1',
          `dir ${dir}`,
          `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${first} 2`,
          `sentinel down-after-milliseconds ${MASTER_NAME} ${NODE_TIMEOUT_MS}`,
          `sentinel failover-timeout ${MASTER_NAME} 5000`,
          `sentinel parallel-syncs ${MASTER_NAME} 2`,
        ];
        await writeFile(file, `${settings.join('\n')}\n`);
        return launchServer(port, [file, '--sentinel']);
      }),
  );
  await nodes[0]!.start();
  await Promise.all(nodes.slice(1).map((node) => node.start()));
  await Promise.all(sentinels.map((node) => node.start()));
  const url = `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${MASTER_NAME}`;
  const topology = topologyOf(url, nodes, {
    replicas: 2,
    masters: 1,
    isWell: async () => (await Promise.all(sentinels.map(knowsAll))).every(Boolean),
    cleanUp: async () => {
      await Promise.all(sentinels.map((node) => node.kill9()));
      await rm(dir, { recursive: true, force: true });
    },
  });
  await topology.untilReplicated();
  return topology;
}

/** Does this sentinel know both replicas and both other sentinels? */
async function knowsAll(sentinel: RedisNode): Promise<boolean> {
  return sentinel.ask(async (redis) => {
    const replicas = (await redis.call('SENTINEL', 'replicas', MASTER_NAME)) as unknown[];
    const others = (await redis.call('SENTINEL', 'sentinels', MASTER_NAME)) as unknown[];
    return replicas.length === 2 && others.length === 2;
  });
}

function isKept({ appendonly = false }: TopologyOptions): { appendonly: boolean } {
  return { appendonly };
}

function replication({ minReplicasToWrite = 0 }: TopologyOptions): string[] {
  const args = ['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1'];
  if (minReplicasToWrite > 0)
    args.push('--min-replicas-to-write', `${minReplicasToWrite}`, '--min-replicas-max-lag', '2');
  return args;
}

interface TopologyRules {
  /** Replicas that each master has when all is well. */
  replicas: number;
  masters: number;
  isWell: (running: RedisNode[]) => Promise<boolean>;
  cleanUp: () => Promise<void>;
}

function topologyOf(
  url: string,
  nodes: RedisNode[],
  { replicas, masters: masterCount, isWell, cleanUp }: TopologyRules,
): RedisTopology {
  const running = (): RedisNode[] => nodes.filter((node) => node.isRunning);
  const masters = async (): Promise<RedisNode[]> => {
    const roles = await Promise.all(running().map(async (node) => ({ node, role: await node.role() })));
    return roles.filter(({ role }) => role === 'master').map(({ node }) => node);
  };
  const areInStep = async (): Promise<boolean> => {
    const all = await masters();
    const infos = await Promise.all(all.map((node) => node.ask((redis) => redis.info('replication'))));
    const areWhole = infos.every((info) => [...info.matchAll(/state=online/g)].length >= replicas);
    return all.length === masterCount && areWhole && (await isWell(running()));
  };
  const untilReplicated = async (): Promise<void> => {
    await waitFor(areInStep, { what: 'every master has its replicas', until: (yes) => yes });
  };
  const kill9 = async (): Promise<void> => void (await Promise.all(nodes.map((node) => node.kill9())));
  return {
    url,
    port: nodes[0]!.port,
    nodes,
    replicas,
    masters,
    untilReplicated,
    kill9,
    pause: () => running().forEach((node) => node.pause()),
    resume: () => running().forEach((node) => node.resume()),
    restart: async () => {
      await kill9();
      await Promise.all(nodes.map((node) => node.start()));
      await untilReplicated();
    },
    stop: async () => {
      await kill9();
      await cleanUp();
    },
  };
}
