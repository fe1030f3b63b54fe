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
