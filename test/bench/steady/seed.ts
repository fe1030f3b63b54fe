import { randomUUID } from 'node:crypto';
import {
  claim,
  desire,
  type InstanceSnapshot,
  place,
  type RecordChange,
  start,
  type Transition,
} from '#rivera/lifecycle';
import { type ActualLRP, DesiredLRPRequest, parse, splitDesiredLRP } from '#rivera/models';
import { shardOf, type Store } from '#rivera/store';
import { aRealisticDesiredLRP } from '../../support/builders.js';
import { forAll } from '../bbs/measure.js';

const PER_COMMIT = 50;
const COMMITS_AT_ONCE = 8;
const PLACEMENT_MS = 30_000;
export const NET_INFO = { address: '10.0.0.1', ports: [{ containerPort: 8080, hostPort: 61_001 }] };

// No cell of the benchmark has the tag.
const { placementTags: _tags, ...request } = aRealisticDesiredLRP();
// As it is after the API has checked it.
const checked = parse(DesiredLRPRequest, { ...request, instances: 1 });

/** The LRPs of the benchmark: one instance each, wherever there is room. */
export function anLRP(processGuid: string): DesiredLRPRequest {
  return { ...checked, processGuid };
}

/**
 * What a desire, a placement, a claim and a start leave of one LRP, by the rules themselves: the changes of all four as
 * one, each record as the last of them left it.
 */
export function runningLRP(
  processGuid: string,
  { cellId, zone }: { cellId: string; zone: string },
): Transition {
  const context = { now: Date.now(), newGuid: () => randomUUID() };
  const desired = desire({ processGuid, actuals: [] }, splitDesiredLRP(anLRP(processGuid)), context);
  const instanceGuid = randomUUID();
  const key = { instanceGuid, cellId };
  const info = desired.find((change) => change.kind === 'desired')?.after;
  const steps: ((instance: InstanceSnapshot) => Transition)[] = [
    (instance) => place(instance, { ...key, deadline: context.now + PLACEMENT_MS }),
    (instance) => claim(instance, key, context),
    (instance) =>
      start(instance, key, { netInfo: NET_INFO, routable: true, availabilityZone: zone }, context),
  ];
  let ordinary = actualIn(desired);
  for (const step of steps)
    ordinary = actualIn(step({ processGuid, index: 0, desired: info as never, ordinary }));
  return [...desired.filter(({ kind }) => kind !== 'actual'), { kind: 'actual', after: ordinary }];
}

function actualIn(transition: Transition): ActualLRP {
  const change = transition.find((each): each is RecordChange & { kind: 'actual' } => each.kind === 'actual');
  if (change?.after === undefined) throw new TypeError('A rule has left no instance.');
  return change.after as ActualLRP;
}

/** Puts RUNNING LRPs into the store, past the API but through the store's own commit, some in each. */
export async function seed(
  store: Store,
  count: number,
  cells: readonly { cellId: string; zone: string }[],
  progress: (text: string) => void,
): Promise<void> {
  const byShard = new Map<number, { processGuid: string; cell: (typeof cells)[number] }[]>();
  for (let i = 0; i < count; i += 1) {
    const processGuid = `steady-${i}`;
    const shard = shardOf(processGuid);
    let lrps = byShard.get(shard);
    if (lrps === undefined) byShard.set(shard, (lrps = []));
    lrps.push({ processGuid, cell: cells[i % cells.length]! });
  }
  const commits = [...byShard].flatMap(([shard, lrps]) =>
    Array.from({ length: Math.ceil(lrps.length / PER_COMMIT) }, (_, i) => ({
      shard,
      lrps: lrps.slice(i * PER_COMMIT, (i + 1) * PER_COMMIT),
    })),
  );
  let done = 0;
  await forAll(commits.length, COMMITS_AT_ONCE, async (position) => {
    const { shard, lrps } = commits[position]!;
    const transition = lrps.flatMap(({ processGuid, cell }) => runningLRP(processGuid, cell));
    if (!(await store.commit(shard, transition))) throw new Error('Something else is in this store.');
    done += lrps.length;
    if (position % 500 === 0) progress(`${done} of ${count} LRPs`);
  });
}
