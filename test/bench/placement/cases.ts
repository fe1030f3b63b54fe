import type { AuctionCell, AuctionOptions, LRPAuction } from '#rivera/auction';
import type { CellCapacity } from '#rivera/models';
import type { Foundation } from './worlds.js';

export interface PlacementCase {
  name: string;
  foundation: Foundation;
  /** Instances that run before. */
  running: number;
  /** Instances or tasks to be placed, and how many instances an app has. */
  placed: number;
  perApp: number;
  isTasks?: boolean;
  /** Placed in batches of this size, in one round. */
  batch?: number;
  /** Whether the plain scan places all of it within a minute; if not, it places a part. */
  isForOracle: boolean;
  /** What goes beyond Diego's rule. */
  beyond?: Beyond;
}

/** One case, run by one engine in a process of its own. */
export interface Job {
  name: string;
  isOracle: boolean;
  isSmoke: boolean;
}

export interface Beyond {
  options?: Partial<AuctionOptions>;
  /** Of each cell. */
  limits?: Partial<CellCapacity>;
  /** Of the cell at this place. */
  cell?: (at: number) => Partial<AuctionCell>;
  /** Of each instance of the app at this place. */
  wishes?: (app: number) => Partial<LRPAuction>;
}

const cold = (cells: number, perApp = 10): Omit<PlacementCase, 'name'> => ({
  foundation: { cells, containers: 250 },
  running: 0,
  placed: cells * 20,
  perApp,
  isForOracle: true,
});

const full = (cells: number, running: number, placed: number): Omit<PlacementCase, 'name'> => ({
  foundation: { cells, containers: Math.ceil((running / cells) * 1.03) },
  running,
  placed,
  perApp: 10,
  isForOracle: true,
});

/** 2,000 instances on 1,000 cells that run 100,000, which is what `beyond-plain` is without anything else. */
const beyond = (name: string, more: Beyond): PlacementCase => ({
  name: `beyond-${name}`,
  ...full(1_000, 100_000, 2_000),
  foundation: { cells: 1_000, containers: 160 },
  isForOracle: false,
  beyond: more,
});

const RACKS = 50;
const inRack = (at: number) => ({ labels: { rack: `rack-${at % RACKS}` } });

const BEYOND: readonly PlacementCase[] = [
  beyond('plain', {}),
  beyond('priorities', { wishes: (app) => ({ priority: app % 5 }) }),
  beyond('max-starting', { cell: () => ({ maxStarting: 4 }) }),
  beyond('cpu', {
    limits: { cpuMillicores: 64_000, ports: 4_000 },
    wishes: () => ({ cpuMillicores: 100, ports: 1 }),
  }),
  beyond('failed-on', {
    wishes: (app) => ({ failedOn: [`cell-${app % 1_000}`, `cell-${(app * 7) % 1_000}`] }),
  }),
  beyond('labels', {
    cell: inRack,
    wishes: (app) => ({ affinity: [{ affinity: 'REQUIRE', label: 'rack', value: `rack-${app % RACKS}` }] }),
  }),
  beyond('anti-affinity', {
    wishes: (app) => ({
      affinity: [
        { affinity: 'FORBID', processGuid: `new-0-${app - (app % 2)}-6f1d9e1c-52a8-4f0a-9c6e-0d6a6f4b7c11` },
      ],
    }),
  }),
  beyond('spread', { cell: inRack, wishes: () => ({ spread: [{ over: 'rack', maxSkew: 2 }] }) }),
  beyond('pack', { cell: () => ({ pool: 'batch' }), options: { pools: { batch: { packFromPercent: 0 } } } }),
  beyond('spread-then-pack', {
    cell: () => ({ pool: 'batch' }),
    options: { pools: { batch: { packFromPercent: 50 } } },
  }),
  beyond('holes', { options: { holes: { memoryMb: 16_384, count: 20 } } }),
];

export const CASES: readonly PlacementCase[] = [
  { name: 'cold-100', ...cold(100) },
  { name: 'cold-1000', ...cold(1_000) },
  { name: 'cold-10000', ...cold(10_000) },
  { name: 'cold-1000-singles', ...cold(1_000, 1) },
  { name: 'full-1000', ...full(1_000, 250_000, 1_000) },
  { name: 'full-10000', ...full(10_000, 1_000_000, 500) },
  {
    name: 'constraints-10000',
    ...full(10_000, 500_000, 10_000),
    foundation: { cells: 10_000, containers: 100, isConstrained: true },
  },
  { name: 'tasks-1000', ...full(1_000, 100_000, 1_000), isTasks: true },
  {
    name: 'million',
    foundation: { cells: 10_000, containers: 110 },
    running: 0,
    placed: 1_000_000,
    perApp: 10,
    batch: 50_000,
    isForOracle: false,
  },
  ...BEYOND,
];

/** The same at a size that takes no time; with enough cells for every kind. */
export function smallOf(placement: PlacementCase): PlacementCase {
  const { foundation, running, placed, batch } = placement;
  const small = (count: number) => Math.ceil(count * (foundation.isConstrained ? 0.1 : 0.01));
  return {
    ...placement,
    foundation: { ...foundation, cells: Math.max(3, small(foundation.cells)) },
    running: small(running),
    placed: small(placed),
    ...(batch !== undefined && { batch: small(batch) }),
  };
}
