import { setTimeout as sleep } from 'node:timers/promises';
import { readFile } from 'node:fs/promises';
import type { RedisClient } from '#rivera/platform';
import { connectRedis, ProcessRepository, Store } from '#rivera/store';
import { type Cluster, startCluster } from '../../support/cluster.js';
import { waitFor } from '../../support/wait-for.js';
import type { BenchContext } from '../bench.js';
import { cpuUs } from '../cpu.js';
import { cellNames, SimulatedCells } from './cells.js';
import { checkSeed } from './check-seed.js';
import { seed } from './seed.js';

const SHARDS = 64;
/** The default of bbs. */
const PRESENCE_TTL_MS = 15_000;
const CONVERGER = 'converger';
const LEADERS = ['auctioneer', CONVERGER] as const;

interface Size {
  name: string;
  lrps: number;
  cells: number;
  quietMs: number;
}

/**
 * What a large cluster costs in which nothing happens: everything runs, and for two minutes no client asks for anything.
 * Processor time as a share of one core, and memory, of each program of the control plane and of Redis.
 */
export async function bench(context: BenchContext): Promise<void> {
  const lrps = Number(process.env['STEADY_LRPS'] ?? (context.isSmoke ? 500 : 250_000));
  const cells = Number(process.env['STEADY_CELLS'] ?? Math.max(4, lrps / 250));
  await measured(context, {
    name: `quiet-${lrps >= 1_000 ? `${lrps / 1_000}k` : lrps}`,
    lrps,
    cells,
    quietMs: context.isSmoke ? 5_000 : 120_000,
  });
}

async function measured(context: BenchContext, { name, lrps, cells: count, quietMs }: Size): Promise<void> {
  const cluster = await startCluster({
    cells: 0,
    backend: 'fake',
    presenceTtlMs: PRESENCE_TTL_MS,
    logFormat: 'json',
  });
  const redis = connectRedis(cluster.redis.url);
  const cells = new SimulatedCells(cluster, cellNames(count));
  try {
    for (const leader of LEADERS) await cluster.kill9(leader);
    context.progress(`${lrps} LRPs`);
    const store = new Store({ redis });
    await seed(store, lrps, cells.cells, (text) => context.progress(text));
    await checkSeed(cluster, new ProcessRepository(store), redis);
    context.progress(`${count} cells`);
    await cells.start();
    // Written to disk as in production, from here on; putting what is there on disk is not what is measured.
    await redis.config('SET', 'appendonly', 'yes');
    await waitFor(async () => redis.info('persistence'), {
      what: 'the append-only file',
      until: (info) => /aof_enabled:1/.test(info) && /aof_rewrite_in_progress:0/.test(info),
      timeoutMs: 600_000,
    });
    for (const leader of LEADERS) await cluster.startProgram(leader);
    context.progress('the first audit');
    await waitFor(() => metric(cluster, 'convergence_audited_shards_total'), {
      what: 'every shard audited, and once more',
      until: (audited) => audited >= 2 * SHARDS,
      timeoutMs: 900_000,
    });
    await quiet(context, { cluster, cells, redis, name, quietMs });
  } finally {
    await cells.stop();
    redis.disconnect();
    await cluster.stop();
  }
}

async function quiet(
  context: BenchContext,
  {
    cluster,
    cells,
    redis,
    name,
    quietMs,
  }: { cluster: Cluster; cells: SimulatedCells; redis: RedisClient; name: string; quietMs: number },
): Promise<void> {
  const pids: Record<string, number> = {
    bbs: cluster.program('bbs').pid,
    redis: Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]),
    auctioneer: cluster.program('auctioneer').pid,
    converger: cluster.program(CONVERGER).pid,
  };
  context.progress(`nothing for ${quietMs / 1_000} s`);
  const repairsOf = () => metric(cluster, 'convergence_repairs_total');
  const [repairs, audited, compared] = [
    await repairsOf(),
    await metric(cluster, 'convergence_audited_shards_total'),
    cells.compared,
  ];
  const began = performance.now();
  const before = await each(pids, (pid) => cpuUs([pid]));
  await sleep(quietMs);
  const after = await each(pids, (pid) => cpuUs([pid]));
  const elapsedUs = (performance.now() - began) * 1_000;
  const report = (metricName: string, value: number, unit: string) =>
    context.report({ case: name, metric: metricName, value, unit });
  let [cpuTotal, rssTotal] = [0, 0];
  for (const [program, pid] of Object.entries(pids)) {
    const percent = (100 * (after[program]! - before[program]!)) / elapsedUs;
    const rss = await rssMb(pid);
    cpuTotal += percent;
    rssTotal += rss;
    report(`cpu_percent_${program}`, percent, '%');
    report(`rss_mb_${program}`, rss, 'MB');
  }
  report('cpu_percent_total', cpuTotal, '%');
  report('rss_mb_total', rssTotal, 'MB');
  report('repairs', (await repairsOf()) - repairs, '1');
  // So that the quiet is that of a cluster at work, not of one that stands still.
  report('audited_shards', (await metric(cluster, 'convergence_audited_shards_total')) - audited, '1');
  report('cells_compared', cells.compared - compared, '1');
  report('cells_changed', cells.changed, '1');
}

async function each<T>(
  pids: Record<string, number>,
  of: (pid: number) => Promise<T>,
): Promise<Record<string, T>> {
  const entries = Object.entries(pids).map(async ([name, pid]) => [name, await of(pid)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

async function rssMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1_024;
}

/** Of the converger, all labels together. */
async function metric(cluster: Cluster, name: string): Promise<number> {
  const url = cluster.program(CONVERGER).options.readyUrl.replace('/readyz', '/metrics');
  const text = await (await fetch(url)).text();
  const values = [...text.matchAll(new RegExp(`^rivera_${name}(?:\\{.*\\})? (\\S+)$`, 'gm'))];
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}
