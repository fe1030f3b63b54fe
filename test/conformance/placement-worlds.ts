import * as fc from 'fast-check';
import type { AuctionBatch, AuctionCell, AuctionEngine, AuctionOptions, HeldWork } from '#rivera/auction';
import { IndexedAuction, ScanAuction } from '#rivera/auction';
import type { RootfsProvider } from '#rivera/models';

/** Some cells, what they hold, and work to place. Small numbers, so that ties, shortages and clashes are frequent. */
export interface World {
  cells: AuctionCell[];
  holds: { cellId: string; held: HeldWork }[];
  batch: AuctionBatch;
  options: AuctionOptions;
}

export const APPS = ['app-a', 'app-b', 'app-c'];

/** Mostly the first value. */
function usually<T>(first: T, ...others: T[]): fc.Arbitrary<T> {
  return fc.oneof({ arbitrary: fc.constant(first), weight: 4 }, fc.constantFrom(first, ...others));
}

/** Mostly none of them. */
const few = (...all: string[]): fc.Arbitrary<string[]> =>
  fc.oneof({ arbitrary: fc.constant<string[]>([]), weight: 2 }, fc.subarray(all));

const tags = few('t1', 't2');
const size = { memoryMb: fc.constantFrom(0, 5, 10, 10, 20, 40), diskMb: fc.constantFrom(0, 10, 10, 20) };
const linux: RootfsProvider = { scheme: 'preloaded', stacks: ['linux'] };
const providers = usually([linux], [linux, { scheme: 'docker' }], [{ scheme: 'docker' }]);
const cellIds = Array.from({ length: 8 }, (_, at) => `cell-${at}`);

export const describedCell = (cellId: string): fc.Arbitrary<AuctionCell> =>
  fc.record({
    cellId: fc.constant(cellId),
    zone: fc.constantFrom('z1', 'z1', 'z2', 'z3'),
    index: fc.nat(3),
    capacity: fc.record({
      memoryMb: usually(100, 60, 200, 0),
      diskMb: usually(100, 60, 200, 0),
      containers: usually(10, 3, 5, 0),
    }),
    rootfsProviders: providers,
    placementTags: tags,
    optionalPlacementTags: tags,
    volumeDrivers: usually(['d1', 'd2'], ['d1'], []),
    proxyMemoryMb: usually(0, 4, 8),
    evacuating: usually(false, true),
  });

export const heldWork: fc.Arbitrary<HeldWork> = fc.record(
  { ...size, processGuid: fc.constantFrom(...APPS), starting: fc.boolean() },
  { requiredKeys: ['memoryMb', 'diskMb'] },
);

const request = {
  ...size,
  rootfs: usually('preloaded:linux', 'docker:image', 'oci:image'),
  placementTags: tags,
  volumeDrivers: few('d1', 'd2'),
  refusedBy: few(...cellIds),
};

export const batchOf = (maxLength: number): fc.Arbitrary<AuctionBatch> =>
  fc.record({
    lrps: fc.uniqueArray(fc.record({ ...request, processGuid: fc.constantFrom(...APPS), index: fc.nat(4) }), {
      maxLength,
      selector: ({ processGuid, index }) => `${processGuid}.${index}`,
    }),
    tasks: fc.uniqueArray(
      fc.record({ ...request, taskGuid: fc.constantFrom('t-1', 't-2', 't-3', 'cell-3') }),
      {
        maxLength: 4,
        selector: ({ taskGuid }) => taskGuid,
      },
    ),
  });

export const auctionOptions = fc.record({
  startingContainerWeight: usually(0.25, 0, 1),
  binPackFirstFitWeight: usually(0, 0.25),
  startingContainerCountMaximum: usually(0, -1, 4, 12),
  strict: fc.boolean(),
  pools: fc.constant({}),
  holes: fc.constant({ memoryMb: 0, count: 0 }),
});

export const worlds: fc.Arbitrary<World> = fc.subarray(cellIds, { minLength: 0 }).chain((ids) =>
  fc.record({
    cells: fc.tuple(...ids.map(describedCell)),
    holds:
      ids.length === 0
        ? fc.constant([])
        : fc.array(fc.record({ cellId: fc.constantFrom(...ids), held: heldWork }), { maxLength: 12 }),
    batch: batchOf(12),
    options: auctionOptions,
  }),
);

/** Every engine; all have to behave alike. */
export const ENGINE_CLASSES = [
  ['scan', ScanAuction],
  ['index', IndexedAuction],
] as const;

export type EngineClass = (typeof ENGINE_CLASSES)[number][1];

/** An engine with the picture of a world. */
export function engineOf(Engine: EngineClass, { cells, holds, options }: World): AuctionEngine {
  const engine = new Engine(cells, options);
  for (const { cellId, held } of holds) engine.reserve(cellId, held);
  return engine;
}
