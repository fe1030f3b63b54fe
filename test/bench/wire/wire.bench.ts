import * as wire from '#rivera/diego-wire';
import { stablePorts } from '../../support/ports.js';
import { WireClient } from '../../support/wire.js';
import { Api } from '../bbs/api.js';
import { type BbsUnderTest, CALLERS, CELL, fill, LIST_REPEATS, listName, withBbs } from '../bbs/bbs.bench.js';
import { type Cost, forAll, measure, reportCost } from '../bbs/measure.js';
import { operationsOf } from '../bbs/operations.js';
import { type BenchContext, reportLatency } from '../bench.js';
import { WireCalls } from './wire-calls.js';

/** The two APIs take turns, so that both meet the same machine. */
const ROUNDS = 4;
const CALLS_AT_A_TIME = 3;

/**
 * Diego's wire API against the JSON API of the same `bbs`: processor time per operation of each (bbs and Redis together),
 * and their ratio; whole lists; how soon events are heard.
 */
export async function bench(context: BenchContext): Promise<void> {
  const [port = 0] = await stablePorts(1);
  await withBoth(port, async (bbs, diego) => {
    await operations(context, bbs, diego, context.isSmoke ? 40 : 500);
    await events(context, diego, port, context.isSmoke ? 20 : 500);
  });
  // On a store of their own: what the operations left would be listed as well.
  await withBoth(port, (bbs, diego) =>
    lists(context, bbs, diego, context.isSmoke ? [50, 200] : [5_000, 20_000]),
  );
}

async function withBoth(
  port: number,
  use: (bbs: BbsUnderTest, diego: WireCalls) => Promise<void>,
): Promise<void> {
  await withBbs({ bbsEnv: { DIEGO_WIRE_LISTEN: `127.0.0.1:${port}` } }, async (bbs) => {
    const api = new Api(`http://127.0.0.1:${port}`, CALLERS);
    try {
      await use(bbs, new WireCalls(api, CELL));
    } finally {
      api.close();
    }
  });
}

async function operations(
  context: BenchContext,
  { json, pids }: BbsUnderTest,
  diego: WireCalls,
  count: number,
): Promise<void> {
  const apis = { json, wire: diego };
  await forAll(count, CALLERS, (i) => json.desire(`warm-json-${i}`, 1));
  await forAll(count, CALLERS, (i) => diego.desire(`warm-wire-${i}`, 1));
  const costs = new Map<string, Cost[]>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const pairs = Object.entries(apis).map(([api, calls]) =>
      operationsOf(calls, `${api}-${round}-`, count).map((operation) => ({ api, ...operation })),
    );
    const [first = [], second = []] = round % 2 === 0 ? pairs : pairs.toReversed();
    for (const [at, operation] of first.entries()) {
      for (const { api, name, calls, call } of [operation, second[at]!]) {
        context.progress(`round ${round + 1} of ${ROUNDS}: ${name} ${api}`);
        const cost = await measure(calls, call, { callers: CALLERS, pids });
        const key = `${name} ${api}`;
        costs.set(key, [...(costs.get(key) ?? []), cost]);
      }
    }
  }
  for (const { name } of operationsOf(json, '', 0)) {
    const [ofJson, ofWire] = ['json', 'wire'].map((api) => together(costs.get(`${name} ${api}`) ?? []));
    reportCost(context, name, ofWire!);
    reportRatio(context, name, ofWire!, ofJson!);
  }
}

function together(rounds: Cost[]): Cost {
  const mean = (of: (cost: Cost) => number) =>
    rounds.reduce((sum, cost) => sum + of(cost), 0) / rounds.length;
  return {
    opsPerSecond: mean(({ opsPerSecond }) => opsPerSecond),
    cpuUsPerOp: mean(({ cpuUsPerOp }) => cpuUsPerOp),
    durationsMs: rounds.flatMap(({ durationsMs }) => durationsMs),
  };
}

/** From the call to the event that it caused, one after the other. */
async function events(context: BenchContext, diego: WireCalls, port: number, count: number): Promise<void> {
  const processGuid = 'heard';
  await diego.desire(processGuid, 1);
  const stream = await new WireClient(port).follow('/v1/events/lrp_instances.r1');
  const durations: number[] = [];
  const warmUp = Math.ceil(count / 5);
  for (let i = 0; i < count + warmUp; i += 1) {
    const began = performance.now();
    const hearing = stream.event().then(() => durations.push(performance.now() - began));
    await Promise.all([hearing, diego.update(processGuid, { annotation: `${i}` })]);
  }
  stream.close();
  reportLatency(context, 'event-latency', durations.slice(warmUp));
}

/** Whole lists, each in one answer, against the same list page by page. */
async function lists(
  context: BenchContext,
  bbs: BbsUnderTest,
  diego: WireCalls,
  [small = 0, large = 0]: number[],
): Promise<void> {
  const { json } = bbs;
  const scheduling = (size: number) =>
    list(context, bbs.pids, {
      name: listName('scheduling', size),
      wire: () => diego.call('/v1/desired_lrp_scheduling_infos/list', wire.DesiredLRPsRequest, {}),
      json: () => json.list('/v1/desired-lrps?view=scheduling'),
    });
  await fill(context, bbs, 'list-a', small);
  await scheduling(small);
  await fill(context, bbs, 'list-b', large - small);
  await scheduling(large);
  await list(context, bbs.pids, {
    name: listName('routing', large),
    wire: () => diego.call('/v1/desired_lrp_routing_infos/list', wire.DesiredLRPsRequest, {}),
    json: () => json.list('/v1/desired-lrps?view=routing'),
  });
  await list(context, bbs.pids, {
    name: listName('actual', large),
    wire: () => diego.call('/v1/actual_lrps/list', wire.ActualLRPsRequest, {}),
    json: () => json.list('/v1/actual-lrps?'),
  });
  await list(context, bbs.pids, {
    name: listName('by-cell', large),
    wire: () => diego.call('/v1/actual_lrps/list', wire.ActualLRPsRequest, { cellId: CELL }),
    json: () => json.list(`/v1/actual-lrps?cellId=${CELL}`),
  });
}

interface ListCase {
  name: string;
  wire: () => Promise<unknown>;
  json: () => Promise<unknown>;
}

/** The first time of each is not counted with the others: the wire API encodes then what it lists for the first time. */
async function list(context: BenchContext, pids: number[], { name, ...apis }: ListCase): Promise<void> {
  context.progress(name);
  const ask = (api: keyof typeof apis, calls: number) => measure(calls, apis[api], { callers: 1, pids });
  await ask('json', 1);
  const first = await ask('wire', 1);
  const costs: Record<keyof typeof apis, Cost[]> = { wire: [], json: [] };
  for (let repeat = 0; repeat < LIST_REPEATS; repeat += 1) {
    // More than one, because the kernel counts in hundredths of a second.
    for (const api of ['json', 'wire'] as const) costs[api].push(await ask(api, CALLS_AT_A_TIME));
  }
  const [ofWire, ofJson] = [together(costs.wire), together(costs.json)];
  context.report({ case: name, metric: 'first_ms', value: first.durationsMs[0] ?? NaN, unit: 'ms' });
  reportLatency(context, name, ofWire.durationsMs);
  reportRatio(context, name, ofWire, ofJson);
}

function reportRatio(context: BenchContext, name: string, ofWire: Cost, ofJson: Cost): void {
  const ratio = ofWire.cpuUsPerOp / ofJson.cpuUsPerOp;
  context.report({ case: name, metric: 'json_cpu_us_per_op', value: ofJson.cpuUsPerOp, unit: 'us' });
  context.report({ case: name, metric: 'cpu_ratio', value: ratio, unit: 'x' });
}
