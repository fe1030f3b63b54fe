import { IndexedAuction, isTaskAuction, ScanAuction } from '#rivera/auction';
import type {
  Auction,
  AuctionCell,
  AuctionEngine,
  AuctionOptions,
  AuctionResult,
  HeldWork,
  LRPAuction,
  TaskAuction,
} from '#rivera/auction';

/** A cell with what it holds. */
export interface CellFixture extends AuctionCell {
  holds?: HeldWork[];
}

const linux = [{ scheme: 'preloaded', stacks: ['linux'] }];

/** 100 MB of memory, 100 MB of disk, 100 containers, linux only. */
export function cell(cellId: string, zone: string, more: Partial<CellFixture> = {}): CellFixture {
  const capacity = { memoryMb: 100, diskMb: 100, containers: 100 };
  return { cellId, zone, capacity, rootfsProviders: linux, ...more };
}

type EngineClass<E extends AuctionEngine> = new (
  cells: Iterable<AuctionCell>,
  options: Partial<AuctionOptions>,
) => E;

/** Makes engines of a class, with both weights 0 unless stated. */
const maker =
  <E extends AuctionEngine>(Engine: EngineClass<E>) =>
  (cells: CellFixture[], options: Partial<AuctionOptions> = {}): E => {
    const engine = new Engine(cells, { startingContainerWeight: 0, ...options });
    for (const { cellId, holds = [] } of cells) {
      for (const held of holds) engine.reserve(cellId, held);
    }
    return engine;
  };

/** A plain scan with both weights 0 unless stated. */
export const engineWith = maker(ScanAuction);

/** Name and maker of every engine: all have to behave alike. */
export const ENGINES = [
  ['scan', engineWith],
  ['index', maker(IndexedAuction)],
] as const;

/** `lrp('app', 1)` asks 10 MB of memory and of disk on linux unless stated. */
export function lrp(processGuid: string, index: number, more: Partial<LRPAuction> = {}): LRPAuction {
  return { processGuid, index, memoryMb: 10, diskMb: 10, rootfs: 'preloaded:linux', ...more };
}

export function task(taskGuid: string, more: Partial<TaskAuction> = {}): TaskAuction {
  return { taskGuid, memoryMb: 10, diskMb: 10, rootfs: 'preloaded:linux', ...more };
}

export const size = (memoryMb: number, diskMb = memoryMb) => ({ memoryMb, diskMb });

export const held = (processGuid: string, memoryMb = 10, diskMb = memoryMb): HeldWork => ({
  processGuid,
  memoryMb,
  diskMb,
});

export const name = (auction: Auction): string =>
  isTaskAuction(auction) ? auction.taskGuid : `${auction.processGuid}[${auction.index}]`;

/** Decides everything as one batch. */
export function decide(engine: AuctionEngine, ...work: Auction[]): AuctionResult {
  const lrps = work.filter((auction): auction is LRPAuction => !isTaskAuction(auction));
  return engine.auction({ lrps, tasks: work.filter(isTaskAuction) });
}

/** Work → cell, in the order of decision. */
export const winners = ({ placements }: AuctionResult): Record<string, string> =>
  Object.fromEntries(placements.map(({ auction, cellId }) => [name(auction), cellId]));

/** Work → placement error. */
export const errors = ({ failures }: AuctionResult): Record<string, string> =>
  Object.fromEntries(failures.map(({ auction, error }) => [name(auction), error]));

/** Two zones of one cell each; A is fuller. */
export const F1 = (): CellFixture[] => [
  cell('A-cell', 'A-zone', { holds: [held('pg-1'), held('pg-2')] }),
  cell('B-cell', 'B-zone', { holds: [held('pg-3')] }),
];

/** F1 with one of the containers of each cell starting. */
export const F1Starting = (): CellFixture[] =>
  F1().map((fixture) => ({
    ...fixture,
    holds: fixture.holds?.map((work, at) => ({ ...work, starting: at === 0 })),
  }));

/** F1 holding tasks in place of LRPs. */
export const F1Tasks = (): CellFixture[] =>
  F1().map((fixture) => ({
    ...fixture,
    holds: fixture.holds?.map(({ memoryMb, diskMb }) => ({ memoryMb, diskMb })),
  }));

/** Cells with placement tags. */
export const F2 = ({ optional = true } = {}): CellFixture[] => {
  const tagged = (cellId: string, zone: string, placementTags: string[], tags: string[]) =>
    cell(cellId, zone, {
      placementTags,
      optionalPlacementTags: optional ? tags : [],
      holds: [held('pg-5')],
    });
  return [
    tagged('cell-z1-1', 'z1', ['quack', 'moo'], ['chirp']),
    tagged('cell-z1-2', 'z1', [], []),
    tagged('cell-z2-1', 'z2', ['quack'], ['chirp', 'baa']),
    tagged('cell-z2-2', 'z2', ['quack', 'moo', 'oink'], []),
  ];
};

/** Cells with volume drivers. */
export const F3 = (): CellFixture[] => [
  cell('A-cell', 'A-zone', { volumeDrivers: ['driver-1', 'driver-2'], holds: [held('pg-1')] }),
  cell('B-cell', 'B-zone', { volumeDrivers: ['driver-3'], holds: [held('pg-2')] }),
];
