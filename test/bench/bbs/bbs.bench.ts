import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { aRealisticDesiredLRP } from '../../support/builders.js';
import { type Cluster, type ClusterOptions, startCluster } from '../../support/cluster.js';
import { type BenchContext, reportLatency } from '../bench.js';
import { Api } from './api.js';
import { JsonCalls } from './json-calls.js';
import { forAll, measure, reportCost } from './measure.js';
import { type Operation, operationsOf } from './operations.js';

export const CALLERS = 16;
export const CELL = 'bench-cell';
const BULK = 100;
const FILLERS = 4;
/** One in a hundred instances is on the cell that is listed. */
const SHARE_ON_CELL = 0.01;
export const LIST_REPEATS = 9;

/** One `bbs` over a Redis that writes every commit to disk, with nobody else writing. */
export interface BbsUnderTest {
  cluster: Cluster;
  api: Api;
  json: JsonCalls;
  /** Of bbs and Redis. */
  pids: number[];
}

export async function withBbs(
  options: ClusterOptions,
  use: (bbs: BbsUnderTest) => Promise<void>,
): Promise<void> {
  const cluster = await startCluster({
    cells: 0,
    backend: 'fake',
    redis: { appendonly: true },
    logFormat: 'json',
    ...options,
  });
  const api = new Api(cluster.api, CALLERS);
  const redis = new Redis(cluster.redis.url);
  try {
    await cluster.kill9('auctioneer');
    await cluster.kill9('converger');
    const redisPid = Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]);
    const json = new JsonCalls(api, cluster, CELL);
    await json.register();
    await use({ cluster, api, json, pids: [cluster.program('bbs').pid, redisPid] });
  } finally {
    api.close();
    redis.disconnect();
    await cluster.stop();
  }
}

/**
 * The API of one real `bbs`: operations a second and processor time per operation (bbs and Redis together), lists, and how
 * soon events are heard.
 */
export async function bench(context: BenchContext): Promise<void> {
  await withBbs({}, async (bbs) => {
    await operations(context, bbs, context.isSmoke ? 40 : 3_000);
    await events(context, bbs, context.isSmoke ? 20 : 500);
  });
  // On a store of their own: what the operations left would be listed as well.
  await withBbs({}, (bbs) => lists(context, bbs, context.isSmoke ? [50, 200] : [5_000, 20_000]));
}

async function operations(context: BenchContext, { json, pids }: BbsUnderTest, count: number): Promise<void> {
  const size = Buffer.byteLength(
    JSON.stringify({ ...aRealisticDesiredLRP(), processGuid: 'size', instances: 1 }),
  );
  context.report({ case: 'lrp', metric: 'size', value: size, unit: 'bytes' });
  // Compiled code is what runs all day, so every call is warmed up, not only the first.
  for (const prefix of ['warm-up-', '']) {
    for (const { name, calls, each = 1, call } of allOperations(json, prefix, count)) {
      context.progress(`${prefix}${name}`);
      const cost = await measure(calls, call, { callers: CALLERS, pids, each });
      if (prefix === '') reportCost(context, name, cost);
    }
  }
}

/** What one LRP or task at a time costs, and many LRPs at once. */
function allOperations(json: JsonCalls, prefix: string, count: number): (Operation & { each?: number })[] {
  const single = operationsOf(json, prefix, count);
  const bulk = {
    name: 'bulk-desire',
    calls: count / BULK,
    each: BULK,
    call: (i: number) => json.bulkDesire(`${prefix}bulk-${i}`, BULK),
  };
  const isTen = single.findIndex(({ name }) => name === 'desire-10');
  return single.toSpliced(isTen + 1, 0, bulk);
}

/** From the call to the event that it caused, one after the other. */
async function events(context: BenchContext, { json, cluster }: BbsUnderTest, count: number): Promise<void> {
  const processGuid = 'heard';
  await json.desire(processGuid, 1);
  const stop = new AbortController();
  let heard: () => void = () => {};
  await new Promise<void>((resolve) => {
    void (async () => {
      const options = { signal: stop.signal, onConnect: resolve };
      for await (const item of cluster.client.events({ processGuid: [processGuid] }, options)) {
        if ('event' in item && item.event.type === 'desired_lrp_changed') heard();
      }
    })();
  });
  const durations: number[] = [];
  const warmUp = Math.ceil(count / 5);
  for (let i = 0; i < count + warmUp; i += 1) {
    const hearing = new Promise<void>((resolve) => (heard = resolve));
    const began = performance.now();
    await Promise.all([
      hearing.then(() => durations.push(performance.now() - began)),
      json.update(processGuid, { annotation: `${i}` }),
    ]);
  }
  stop.abort();
  reportLatency(context, 'event-latency', durations.slice(warmUp));
}

/** Whole lists, page by page, by one caller. */
async function lists(
  context: BenchContext,
  bbs: BbsUnderTest,
  [small = 0, large = 0]: number[],
): Promise<void> {
  const list = async (name: string, path: string) => {
    const { cpuUsPerOp, durationsMs } = await measure(LIST_REPEATS, () => bbs.json.list(path), {
      callers: 1,
      pids: bbs.pids,
    });
    context.report({ case: name, metric: 'cpu_us_per_op', value: cpuUsPerOp, unit: 'us' });
    reportLatency(context, name, durationsMs);
  };
  await fill(context, bbs, 'list-a', small);
  await list(listName('scheduling', small), '/v1/desired-lrps?view=scheduling');
  await fill(context, bbs, 'list-b', large - small);
  await list(listName('scheduling', large), '/v1/desired-lrps?view=scheduling');
  await list(listName('routing', large), '/v1/desired-lrps?view=routing');
  await list(listName('actual', large), '/v1/actual-lrps?');
  await list(listName('by-cell', large), `/v1/actual-lrps?cellId=${CELL}`);
}

export function listName(kind: string, size: number): string {
  return `list-${kind}-${size >= 1_000 ? `${size / 1_000}k` : size}`;
}

/** So many more LRPs, some of whose instances are on the cell. */
export async function fill(
  context: BenchContext,
  { json }: BbsUnderTest,
  prefix: string,
  count: number,
): Promise<void> {
  context.progress(`${count} more LRPs`);
  // Not measured: a few at a time, so that no call waits for the disk until its time is up.
  await forAll(count / BULK, FILLERS, (i) => json.bulkDesire(`${prefix}-${i}`, BULK));
  await forAll(Math.ceil(count * SHARE_ON_CELL), CALLERS, (i) =>
    json.claim(`${prefix}-${Math.floor(i / BULK)}-${i % BULK}`, randomUUID()),
  );
}
