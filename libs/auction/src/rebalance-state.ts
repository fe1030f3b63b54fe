import { CellLoad } from './cell-load.js';
import { firstMismatch, leftOfSomething, parseRootfs, shortages } from './constraints.js';
import type { CellCapacity } from '#rivera/models';
import type { RebalanceApp, RebalanceOptions, RebalanceWeights, RebalanceWorld } from './rebalance-types.js';
import { isLabelConstraint } from './rules.js';
import type { AuctionCell, HeldWork } from './types.js';

/** A cell while a plan is made. */
export interface CellState {
  cellId: string;
  cell: AuctionCell;
  /** In use when the moves so far are done, proxies included. */
  used: CellCapacity;
  /** Mean of the shares of memory, disk and containers in use (Diego rep, ComputeScore). */
  fill: number;
  /** What is held while they are under way: what leaves is still there. */
  meanwhile: CellLoad;
}

/** An app while a plan is made. */
export interface AppState extends Pick<RebalanceApp, 'processGuid' | 'memoryMb' | 'diskMb'> {
  /** By one instance. */
  held: HeldWork;
  cellOfIndex: Map<number, CellState>;
  /** Cells that match what it asks for, by zone. */
  matching: ReadonlyMap<string, CellState[]>;
  perZone: Map<string, number>;
  perCell: Map<CellState, number>;
  isMovable: boolean;
  hasMoved: boolean;
}

type Used = Pick<CellState, 'used'>['used'];

/** Where everything is, as the moves of a plan change it, and what one more move would gain. */
export class RebalanceState {
  readonly apps: AppState[] = [];
  readonly zones = new Map<string, CellState[]>();
  private readonly cells = new Map<string, CellState>();
  private readonly matchingOf = new Map<string, ReadonlyMap<string, CellState[]>>();

  constructor(
    world: RebalanceWorld,
    readonly options: RebalanceOptions,
  ) {
    for (const cell of world.cells) {
      const state = { cellId: cell.cellId, cell, used: nothing(), fill: 0, meanwhile: new CellLoad() };
      this.cells.set(cell.cellId, state);
      const others = this.zones.get(cell.zone);
      if (others === undefined) this.zones.set(cell.zone, [state]);
      else others.push(state);
    }
    for (const { cellId, held } of world.others) {
      const cell = this.cells.get(cellId);
      if (cell !== undefined) this.occupy(cell, held);
    }
    for (const app of world.apps) this.addApp(app);
    this.sort(...this.zones.keys());
  }

  get cellCount(): number {
    return this.cells.size;
  }

  /** All cells, emptiest first. */
  byFill(): CellState[] {
    return [...this.cells.values()].toSorted(byFill);
  }

  movableApps(): AppState[] {
    return this.apps.filter((app) => app.isMovable && !app.hasMoved);
  }

  /** Are there two zones, or two cells, of which one holds at least two instances more than the other? */
  isUneven(app: AppState): boolean {
    const zones = [...app.matching.keys()].map((zone) => app.perZone.get(zone) ?? 0);
    const cells = [...app.perCell.values()];
    return Math.max(0, ...zones) - Math.min(...zones) > 1 || Math.max(0, ...cells) > 1;
  }

  /**
   * Cells the app may move to from this one, a few of each zone: emptiest first, until one that holds none of its
   * instances. Zones that hold as many as this one or more are passed over, so that no move makes zones less even.
   */
  *targets(app: AppState, from: CellState): Generator<CellState> {
    const here = app.perZone.get(from.cell.zone) ?? 0;
    for (const [zone, cells] of app.matching) {
      if (zone !== from.cell.zone && (app.perZone.get(zone) ?? 0) >= here) continue;
      for (const to of cells) {
        if (to === from || !this.hasRoom(to, app)) continue;
        yield to;
        if (!app.perCell.has(to)) break;
      }
    }
  }

  /** What the move takes off the imbalance, by kind, in points. */
  gains(app: AppState, from: CellState, to: CellState): RebalanceWeights {
    const { weights } = this.options;
    const zoneGain = from.cell.zone === to.cell.zone ? 0 : this.inZone(app, from) - this.inZone(app, to) - 1;
    const here = app.perCell.get(from) ?? 0;
    const there = app.perCell.get(to) ?? 0;
    const left = minus(from.used, needsOf(app, from));
    const right = plus(to.used, needsOf(app, to));
    return {
      zone: weights.zone * zoneGain,
      locality: weights.locality * (here - there - 1),
      hole: this.holeGain(from, left, to, right),
      fill: weights.fill * (from.fill ** 2 + to.fill ** 2 - fillOf(from, left) ** 2 - fillOf(to, right) ** 2),
    };
  }

  move(app: AppState, index: number, to: CellState): void {
    const from = app.cellOfIndex.get(index);
    if (from === undefined) throw new TypeError(`${app.processGuid} has no instance ${index} to be moved.`);
    this.setUsed(from, minus(from.used, needsOf(app, from)));
    this.setUsed(to, plus(to.used, needsOf(app, to)));
    to.meanwhile.add({ ...app.held, starting: true });
    this.count(app, from, -1);
    this.count(app, to, 1);
    app.cellOfIndex.set(index, to);
    app.hasMoved = true;
    this.sort(...new Set([from.cell.zone, to.cell.zone]));
  }

  /** What is missing of the holes of a zone, in holes. `other`: as if these cells had that in use. */
  missingHoles(zone: string, other?: ReadonlyMap<CellState, Used>): number {
    const { holeMemoryMb, holesPerZone } = this.options;
    if (holeMemoryMb === 0 || holesPerZone === 0) return 0;
    const free = (this.zones.get(zone) ?? [])
      .filter(({ cell }) => !cell.evacuating)
      .map((state) => state.cell.capacity.memoryMb - (other?.get(state) ?? state.used).memoryMb)
      .toSorted((a, b) => b - a);
    return free
      .slice(0, holesPerZone)
      .reduce((sum, freeMb) => sum + Math.max(0, holeMemoryMb - Math.max(0, freeMb)) / holeMemoryMb, 0);
  }

  private holeGain(from: CellState, left: Used, to: CellState, right: Used): number {
    const { weights, holeMemoryMb } = this.options;
    if (holeMemoryMb === 0) return 0;
    const other = new Map([
      [from, left],
      [to, right],
    ]);
    const zones = [...new Set([from.cell.zone, to.cell.zone])];
    const gain = zones.reduce(
      (sum, zone) => sum + this.missingHoles(zone) - this.missingHoles(zone, other),
      0,
    );
    return weights.hole * gain;
  }

  private inZone(app: AppState, { cell }: CellState): number {
    return app.perZone.get(cell.zone) ?? 0;
  }

  private hasRoom({ cell, meanwhile }: CellState, { held }: AppState): boolean {
    if (cell.evacuating) return false;
    const starts = cell.maxStarting === undefined ? {} : { starts: cell.maxStarting - meanwhile.starting };
    const left = { ...leftOfSomething(cell.capacity, meanwhile.leftOn(cell)), ...starts };
    return shortages(left, { ...held, memoryMb: held.memoryMb + (cell.proxyMemoryMb ?? 0) }).length === 0;
  }

  private addApp(app: RebalanceApp): void {
    const { processGuid, memoryMb, diskMb, cpuMillicores, ports, devices, instances, isMovable } = app;
    const state: AppState = {
      processGuid,
      memoryMb,
      diskMb,
      held: { processGuid, memoryMb, diskMb, cpuMillicores, ports, devices },
      cellOfIndex: new Map(),
      matching: this.matching(app),
      perZone: new Map(),
      perCell: new Map(),
      isMovable: isMovable && instances.length >= this.options.minInstances && !hasFurtherRules(app),
      hasMoved: false,
    };
    for (const { index, cellId } of instances) {
      const cell = this.cells.get(cellId);
      if (cell === undefined) continue;
      this.occupy(cell, state.held);
      this.count(state, cell, 1);
      // What leaves its cell is not the rebalancer's business.
      if (!cell.cell.evacuating) state.cellOfIndex.set(index, cell);
    }
    this.apps.push(state);
  }

  private matching(app: RebalanceApp): ReadonlyMap<string, CellState[]> {
    const { rootfs, placementTags = [], volumeDrivers = [], affinity = [] } = app;
    const constraint = JSON.stringify([rootfs, placementTags, volumeDrivers, affinity]);
    let zones = this.matchingOf.get(constraint);
    if (zones === undefined) {
      const parsed = parseRootfs(rootfs);
      const isMatch = ({ cell }: CellState) =>
        !cell.evacuating && firstMismatch(cell, app, parsed) === undefined;
      zones = new Map(
        [...this.zones]
          .map(([zone, cells]) => [zone, cells.filter(isMatch)] as const)
          .filter(([, cells]) => cells.length > 0),
      );
      this.matchingOf.set(constraint, zones);
    }
    return zones;
  }

  private occupy(state: CellState, held: HeldWork): void {
    const proxyMb = held.processGuid === undefined ? 0 : (state.cell.proxyMemoryMb ?? 0);
    const needs = { memoryMb: held.memoryMb + proxyMb, diskMb: held.diskMb, containers: 1 };
    this.setUsed(state, plus(state.used, needs));
    state.meanwhile.add(held);
  }

  private setUsed(state: CellState, used: Used): void {
    state.used = used;
    state.fill = fillOf(state, used);
  }

  /** Targets in these zones are looked at in the order of the fill that they have now. */
  private sort(...zones: string[]): void {
    for (const matching of this.matchingOf.values()) {
      for (const zone of zones) matching.get(zone)?.sort(byFill);
    }
  }

  private count(app: AppState, cell: CellState, step: 1 | -1): void {
    const { zone } = cell.cell;
    app.perZone.set(zone, (app.perZone.get(zone) ?? 0) + step);
    const onCell = (app.perCell.get(cell) ?? 0) + step;
    if (onCell === 0) app.perCell.delete(cell);
    else app.perCell.set(cell, onCell);
  }
}

function fillOf({ cell: { capacity } }: CellState, used: Used): number {
  const share = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);
  return (
    (share(used.memoryMb, capacity.memoryMb) +
      share(used.diskMb, capacity.diskMb) +
      share(used.containers, capacity.containers)) /
    3
  );
}

/** Rules about what else is near, or about more than zones: what moving means for them is not weighed here. */
function hasFurtherRules({ affinity = [], spread = [] }: RebalanceApp): boolean {
  return spread.length > 0 || !affinity.every(isLabelConstraint);
}

function byFill(a: CellState, b: CellState): number {
  return a.fill - b.fill || (a.cellId < b.cellId ? -1 : 1);
}

function needsOf(app: AppState, { cell }: CellState): Used {
  return { memoryMb: app.memoryMb + (cell.proxyMemoryMb ?? 0), diskMb: app.diskMb, containers: 1 };
}

const nothing = (): Used => ({ memoryMb: 0, diskMb: 0, containers: 0 });

function plus(a: Used, b: Used): Used {
  return {
    memoryMb: a.memoryMb + b.memoryMb,
    diskMb: a.diskMb + b.diskMb,
    containers: a.containers + b.containers,
  };
}

function minus(a: Used, b: Used): Used {
  return {
    memoryMb: a.memoryMb - b.memoryMb,
    diskMb: a.diskMb - b.diskMb,
    containers: a.containers - b.containers,
  };
}
