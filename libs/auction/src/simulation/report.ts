import type { CellCapacity, HeldResources } from '#rivera/models';
import type { SimulatedCell, SimulationBooks } from './books.js';
import { zoneSkews } from './zone-skew.js';

/** Over all cells. */
export interface Spread {
  min: number;
  mean: number;
  max: number;
}

export interface CellReport extends HeldResources {
  cellId: string;
  zone: string;
  capacity: CellCapacity;
  containers: number;
  /** Containers that the auction placed, and their memory. */
  placed: number;
  placedMemoryMb: number;
}

export interface ZoneReport {
  zone: string;
  cells: number;
  containers: number;
  placed: number;
  /** Share of the zone's memory in use. */
  memoryFill: number;
}

/** How often what happened. */
export interface SimulationCounts {
  /** Instances and tasks submitted by the world, without those placed again. */
  submitted: number;
  /** Every placement and every failure, those of work placed again too. */
  decisions: number;
  placements: number;
  failures: number;
  /** Placements that the cell refused. */
  refused: number;
  /** Instances and tasks that were on lost cells. */
  lost: number;
}

/** The first piece of work that could not be placed, and how full the cells were then. */
export interface FirstFailure {
  work: string;
  memoryMb: number;
  diskMb: number;
  error: string;
  /** Share of the memory of all cells that was in use when its batch had been decided. */
  memoryFill: number;
}

/** What a simulation came to. */
export interface SimulationReport extends SimulationCounts {
  /** Work that is on no cell at the end. */
  unplaced: number;
  /** Placement error → how often. */
  failuresByReason: Record<string, number>;
  firstFailure?: FirstFailure;
  /**
   * Population standard deviation ÷ mean of the share of its memory that each cell has in use; 0 = even (Diego auction,
   * simulation, which takes megabytes: the same number where cells are of one size).
   */
  distributionScore: number;
  /** The same before the first auction. */
  initialDistributionScore: number;
  zoneSkew: {
    /** Largest difference, for any app, between the zones it may use in instances of that app. */
    largest: number;
    /** Apps for which it is above 1. */
    skewedApps: number;
    apps: number;
  };
  memoryFill: Spread;
  diskFill: Spread;
  instancesPerCell: Spread;
  /** Newly placed ones. */
  placedPerCell: Spread;
  zones: ZoneReport[];
  cells: CellReport[];
}

export interface SimulationHistory extends SimulationCounts {
  failuresByReason: ReadonlyMap<string, number>;
  firstFailure?: FirstFailure;
  initialDistributionScore?: number;
}

export function reportOn({ cells, work }: SimulationBooks, history: SimulationHistory): SimulationReport {
  const all = [...work];
  const skews = zoneSkews(
    cells.map(({ cell }) => cell),
    all,
  );
  return {
    ...history,
    unplaced: all.filter(({ cellId }) => cellId === undefined).length,
    failuresByReason: Object.fromEntries(history.failuresByReason),
    distributionScore: distributionScore(cells),
    initialDistributionScore: history.initialDistributionScore ?? 0,
    zoneSkew: {
      largest: skews.reduce((largest, skew) => Math.max(largest, skew), 0),
      skewedApps: skews.filter((skew) => skew > 1).length,
      apps: skews.length,
    },
    memoryFill: spreadOf(cells.map(memoryFillOf)),
    diskFill: spreadOf(cells.map(({ cell, diskMb }) => share(diskMb, cell.capacity.diskMb))),
    instancesPerCell: spreadOf(cells.map(({ containers }) => containers)),
    placedPerCell: spreadOf(cells.map(({ placed }) => placed)),
    zones: zonesOf(cells),
    cells: cells.map(({ cell: { cellId, zone, capacity }, ...used }) => ({
      cellId,
      zone,
      capacity,
      ...used,
    })),
  };
}

/** See `SimulationReport.distributionScore`. */
export function distributionScore(cells: readonly SimulatedCell[]): number {
  const fills = cells.map(memoryFillOf);
  const { mean } = spreadOf(fills);
  if (mean === 0) return 0;
  const variance = fills.reduce((sum, fill) => sum + (fill - mean) ** 2, 0) / fills.length;
  return Math.sqrt(variance) / mean;
}

/** Share of the memory of all cells that is in use. */
export function memoryFill(cells: readonly SimulatedCell[]): number {
  const used = cells.reduce((sum, { memoryMb }) => sum + memoryMb, 0);
  return share(
    used,
    cells.reduce((sum, { cell }) => sum + cell.capacity.memoryMb, 0),
  );
}

function memoryFillOf({ cell, memoryMb }: SimulatedCell): number {
  return share(memoryMb, cell.capacity.memoryMb);
}

function zonesOf(cells: readonly SimulatedCell[]): ZoneReport[] {
  const zones = new Map<string, SimulatedCell[]>();
  for (const cell of cells) {
    const others = zones.get(cell.cell.zone);
    if (others === undefined) zones.set(cell.cell.zone, [cell]);
    else others.push(cell);
  }
  return [...zones]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([zone, ofZone]) => ({
      zone,
      cells: ofZone.length,
      containers: ofZone.reduce((sum, { containers }) => sum + containers, 0),
      placed: ofZone.reduce((sum, { placed }) => sum + placed, 0),
      memoryFill: memoryFill(ofZone),
    }));
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) return { min: 0, mean: 0, max: 0 };
  let [min, max, sum] = [Infinity, -Infinity, 0];
  for (const value of values) {
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
  }
  return { min, mean: sum / values.length, max };
}
