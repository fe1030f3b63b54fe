import * as fc from 'fast-check';
import type { AuctionBatch, AuctionCell, AuctionOptions, HeldWork, PoolPolicy } from '#rivera/auction';
import type { AffinityRule, DeviceCount, SpreadRule } from '#rivera/models';
import { AFFINITIES } from '#rivera/models';
import { APPS, auctionOptions, batchOf, describedCell, heldWork } from './placement-worlds.js';

// Worlds in which everything is used that goes beyond Diego's rule: see docs/placement.md, "Beyond the score".

const sometimes = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ arbitrary: fc.constant(undefined), weight: 2 }, value);

const devices: fc.Arbitrary<DeviceCount[]> = fc.subarray([
  { name: 'gpu', count: 1 },
  { name: 'gpu', count: 2 },
  { name: 'fpga', count: 1 },
]);

const furtherNeeds = {
  cpuMillicores: sometimes(fc.constantFrom(0, 100, 250)),
  ports: sometimes(fc.constantFrom(0, 1, 2)),
  devices: sometimes(devices),
};

/** As a record would have it: what is absent is not there. */
const withoutAbsent = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;

export const richCell = (cellId: string): fc.Arbitrary<AuctionCell> =>
  fc
    .record({
      cell: describedCell(cellId),
      limits: fc.record({
        cpuMillicores: sometimes(fc.constantFrom(0, 300, 1000)),
        ports: sometimes(fc.constantFrom(0, 2, 5)),
        devices: sometimes(devices),
      }),
      labels: sometimes(
        fc.record(
          { rack: fc.constantFrom('r1', 'r2', 'r3'), disk: fc.constantFrom('ssd', 'hdd') },
          { requiredKeys: [] },
        ),
      ),
      pool: sometimes(fc.constantFrom('packed', 'filled', 'other')),
      maxStarting: sometimes(fc.constantFrom(1, 2)),
    })
    .map(({ cell, limits, ...more }) =>
      withoutAbsent({
        ...cell,
        ...more,
        labels: more.labels && withoutAbsent(more.labels),
        capacity: withoutAbsent({ ...cell.capacity, ...limits }),
      }),
    );

export const richHeldWork: fc.Arbitrary<HeldWork> = fc
  .record({ held: heldWork, further: fc.record(furtherNeeds) })
  .map(({ held, further }) => withoutAbsent({ ...held, ...further }));

const over = fc.constantFrom('zone', 'rack', 'disk');
const affinity: fc.Arbitrary<AffinityRule> = fc.oneof(
  fc.record({
    affinity: fc.constantFrom(...AFFINITIES),
    label: fc.constant('rack'),
    value: fc.constantFrom('r1', 'r2'),
  }),
  fc.record(
    {
      affinity: fc.constantFrom(...AFFINITIES),
      processGuid: fc.constantFrom(...APPS),
      over: fc.oneof(over, fc.constant('cell')),
    },
    { requiredKeys: ['affinity', 'processGuid'] },
  ),
);
const spread: fc.Arbitrary<SpreadRule> = fc.record({ over, maxSkew: fc.constantFrom(1, 2, 5) });

const wishes = {
  ...furtherNeeds,
  failedOn: sometimes(fc.subarray(['cell-0', 'cell-3'])),
  priority: sometimes(fc.constantFrom(-1, 0, 2)),
  affinity: sometimes(fc.array(affinity, { maxLength: 3 })),
};

export const richBatchOf = (maxLength: number): fc.Arbitrary<AuctionBatch> =>
  batchOf(maxLength).chain(({ lrps, tasks }) =>
    fc.record({
      lrps: fc.tuple(
        ...lrps.map((lrp) =>
          fc
            .record({ ...wishes, spread: sometimes(fc.array(spread, { maxLength: 2 })) })
            .map((more) => withoutAbsent({ ...lrp, ...more })),
        ),
      ),
      tasks: fc.tuple(
        ...tasks.map((task) => fc.record(wishes).map((more) => withoutAbsent({ ...task, ...more }))),
      ),
    }),
  );

export const richOptions: fc.Arbitrary<AuctionOptions> = fc
  .record({
    options: auctionOptions,
    strict: fc.oneof({ arbitrary: fc.constant(false), weight: 4 }, fc.constant(true)),
    pools: fc.constantFrom<Record<string, PoolPolicy>[]>(
      {},
      { packed: { packFromPercent: 0 }, filled: { packFromPercent: 30 } },
    ),
    holes: fc.constantFrom({ memoryMb: 0, count: 0 }, { memoryMb: 60, count: 1 }, { memoryMb: 60, count: 3 }),
  })
  .map(({ options, ...more }) => ({ ...options, ...more }));
