/** One process on three cells, played by its rules in memory: what a store, cells and clients do to it. */
import {
  actualId,
  type CellStanding,
  type Context,
  convergeProcess,
  crash,
  desire,
  dueAfter,
  effectsOf,
  evacuateRunning,
  eventsOf,
  failPlacement,
  indexEntries,
  instanceOf,
  moveInstance,
  place,
  type ProcessSnapshot,
  type RecordChange,
  recordId,
  refusePlacement,
  claim,
  remove,
  removeDesired,
  retire,
  start,
  type Transition,
  update,
  type World,
} from '#rivera/lifecycle';
import {
  type ActualLRP,
  type ActualLRPInstanceKey,
  type DesiredLRPSchedulingInfo,
  PRESENCES,
  RiveraError,
  type RiveraEvent,
  splitDesiredLRP,
} from '#rivera/models';
import { aDesiredLRP } from '../support/builders.js';
import { NOW, STARTED } from './lifecycle-fixtures.js';

export const CELLS = ['cell-1', 'cell-2', 'cell-3'];
const GUID = 'my-app';
/** Short, so that walks get to see all of it. */
const POLICY = { immediateRestarts: 1, baseDelayMs: 10_000, maxRestarts: 3 };

/** One step of a walk. `pick` chooses among what there is to choose from. */
export interface Step {
  op: (typeof OPS)[number];
  index: number;
  pick: number;
  elapsedMs: number;
}

export const OPS = [
  'desire',
  'scale',
  'remove-desired',
  'place',
  'fail-placement',
  'refuse',
  'claim',
  'start',
  'crash',
  'remove',
  'retire',
  'evacuate',
  'move',
  'cell-lost',
  'cell-held',
  'cell-forgotten',
  'cell-back',
  'converge',
] as const;

/** The world of one walk. Every transition that is applied is checked against what must always hold. */
export class Model {
  now = NOW;
  isFresh = true;
  readonly cells = new Map<string, CellStanding>(CELLS.map((cellId) => [cellId, 'PRESENT']));
  readonly actuals = new Map<string, ActualLRP>();
  desired?: DesiredLRPSchedulingInfo;
  /** What somebody who only follows events knows, by slot and instance guid. */
  private readonly followed = new Map<string, ActualLRP>();
  private readonly highestIndex = new Map<string, number>();
  private readonly keysSeen = new Map<number, ActualLRPInstanceKey[]>();
  private guids = 0;

  get context(): Context {
    return { now: this.now, newGuid: () => `guid-${(this.guids += 1)}` };
  }

  get world(): World {
    return { cells: this.cells, isFresh: () => this.isFresh };
  }

  get process(): ProcessSnapshot {
    return { processGuid: GUID, desired: this.desired, actuals: [...this.actuals.values()] };
  }

  /** Takes one step; a domain error is an answer like any other. */
  take({ op, index, pick, elapsedMs }: Step): void {
    this.now += elapsedMs;
    const cellId = CELLS[pick % CELLS.length]!;
    if (op === 'cell-lost') this.cells.set(cellId, 'MISSING');
    else if (op === 'cell-held') this.hold(cellId);
    else if (op === 'cell-forgotten') this.forget(cellId);
    else if (op === 'cell-back') this.cells.set(cellId, 'PRESENT');
    else {
      const key = this.keyFor(index, pick);
      const transition = allowed(() => this.decide(op, { index, pick, key }));
      this.apply(transition, ['refuse', 'crash', 'remove', 'evacuate'].includes(op) ? key.cellId : undefined);
    }
  }

  /** Held are only cells that were present until now. */
  hold(cellId: string): void {
    if (this.cells.get(cellId) === 'PRESENT') this.cells.set(cellId, 'HELD');
  }

  /** Forgotten are only cells that are missing. */
  forget(cellId: string): void {
    if (this.cells.get(cellId) !== 'PRESENT') this.cells.delete(cellId);
  }

  /** Convergence until nothing is left to do; returns how often something was. */
  converge(): number {
    for (let rounds = 0; rounds < 10; rounds++) {
      const transition = convergeProcess(this.process, this.world, this.context);
      if (transition.length === 0) return rounds;
      this.apply(transition);
    }
    throw new Error('Convergence does not come to an end.');
  }

  /** Cells report the end of what they were asked to stop, and of what they evacuate. */
  cellsFinish(): void {
    for (const row of this.process.actuals) {
      if (row.stopping || row.presence === 'EVACUATING') {
        const key = { instanceGuid: row.instanceGuid!, cellId: row.cellId! };
        this.apply(
          allowed(() => remove(instanceOf(this.process, row.index), key, this.context)),
          key.cellId,
        );
      }
    }
  }

  indicesOf(presence: ActualLRP['presence']): number[] {
    const rows = this.process.actuals.filter((row) => row.presence === presence);
    return rows.map(({ index }) => index).toSorted((a, b) => a - b);
  }

  private decide(
    op: Exclude<Step['op'], `cell-${string}`>,
    { index, pick, key }: { index: number; pick: number; key: ActualLRPInstanceKey },
  ): Transition {
    const { context, process } = this;
    const instance = instanceOf(process, index);
    switch (op) {
      case 'desire':
        return desire(
          process,
          splitDesiredLRP(aDesiredLRP({ processGuid: GUID, instances: pick % 4, restartPolicy: POLICY })),
          context,
        );
      case 'scale':
        return update(process, { instances: pick % 4 }, context);
      case 'remove-desired':
        return removeDesired(process);
      case 'place':
        return place(instance, { ...this.newKey(index, pick), deadline: this.now + 10_000 });
      case 'fail-placement':
        return failPlacement(instance, `reason ${pick % 2}`);
      case 'refuse':
        return refusePlacement(instance, key, 'no room', context);
      case 'claim':
        return claim(instance, key, context);
      case 'start':
        return start(instance, key, { ...STARTED, routable: pick % 2 === 0 }, context);
      case 'crash':
        return crash(instance, key, 'exited with status 1', context);
      case 'remove':
        return remove(instance, key, context);
      case 'retire': {
        const { cellId = '' } = instance.ordinary ?? {};
        return retire(instance, this.cells.get(cellId) === 'PRESENT', context);
      }
      case 'evacuate':
        // A cell claims what it was given before it has anything to move.
        if (instance.ordinary?.placement?.instanceGuid === key.instanceGuid) return [];
        return evacuateRunning(process, index, key, STARTED, context, { maxPerLRP: 2 }).transition;
      case 'move': {
        const placement = { ...this.newKey(index, pick), deadline: this.now + 10_000 };
        return moveInstance(process, index, key, { placement, deadline: this.now + 30_000 }, context);
      }
      case 'converge':
        return convergeProcess(process, this.world, context);
    }
  }

  /** The instance key of a report or placement: of any run this slot ever had, or of a new one. */
  private keyFor(index: number, pick: number): ActualLRPInstanceKey {
    const seen = this.keysSeen.get(index) ?? [];
    const known = seen[seen.length - 1 - (pick % (seen.length + 1))];
    return known ?? this.newKey(index, pick);
  }

  private newKey(index: number, pick: number): ActualLRPInstanceKey {
    const seen = this.keysSeen.get(index) ?? [];
    const key = { instanceGuid: `instance-${index}-${seen.length}`, cellId: CELLS[pick % CELLS.length]! };
    this.keysSeen.set(index, [...seen, key]);
    return key;
  }

  private apply(transition: Transition, reportedBy?: string): void {
    const held = heldInstances(this.actuals.values());
    expect(new Set(transition.map((change) => `${change.kind} ${recordId(change)}`)).size).toBe(
      transition.length,
    );
    for (const change of transition) this.write(change);
    for (const row of this.actuals.values()) checkRecord(row);
    for (const event of eventsOf(transition)) this.follow(event);
    expect(dueByEvents(transition)).toBe(dueByIndex(transition));
    expect([...this.followed.values()].toSorted(byRecord)).toEqual(this.process.actuals.toSorted(byRecord));
    this.checkStops(transition, held, reportedBy);
  }

  private write(change: RecordChange): void {
    if (change.kind === 'desired') this.desired = change.after;
    if (change.kind !== 'actual') return;
    const id = recordId(change);
    const { before, after } = change;
    expect(before).toEqual(this.actuals.get(id));
    if (after === undefined) {
      this.actuals.delete(id);
      return;
    }
    const { epoch, index } = after.modificationTag;
    expect(index).toBeGreaterThan(this.highestIndex.get(epoch) ?? -1);
    this.highestIndex.set(epoch, index);
    this.actuals.set(id, after);
  }

  /** As a client does: by slot and instance guid, older tags of the same epoch are passed over. */
  private follow(event: RiveraEvent): void {
    if (event.type === 'actual_lrp_changed' || event.type === 'actual_lrp_removed')
      this.unfollow(event.before);
    if (event.type === 'actual_lrp_changed' || event.type === 'actual_lrp_created') {
      this.followed.set(identity(event.after), event.after);
    }
  }

  private unfollow(before: ActualLRP): void {
    const known = this.followed.get(identity(before));
    const isSame =
      known?.modificationTag.epoch === before.modificationTag.epoch &&
      known.modificationTag.index <= before.modificationTag.index;
    if (isSame) this.followed.delete(identity(before));
  }

  /** Every instance that no record holds any more is told to its cell, unless that cell said so itself. */
  private checkStops(transition: Transition, held: Map<string, string>, reportedBy?: string): void {
    const { stops } = effectsOf(transition, reportedBy);
    const stillHeld = heldInstances(this.actuals.values());
    for (const [instanceGuid, cellId] of held) {
      if (stillHeld.has(instanceGuid) || cellId === reportedBy) continue;
      expect(stops.get(cellId)?.instanceGuids).toContain(instanceGuid);
    }
    for (const [, { instanceGuids }] of stops) {
      for (const guid of instanceGuids) {
        const row = this.process.actuals.find(({ instanceGuid }) => instanceGuid === guid);
        expect(row === undefined || row.stopping === true).toBe(true);
      }
    }
  }
}

/** What must hold of every record at any time (reference §12.2.1). */
function checkRecord(row: ActualLRP): void {
  expect(PRESENCES).toContain(row.presence);
  if (row.state === 'UNCLAIMED' || row.state === 'CRASHED') {
    expect(row).not.toHaveProperty('instanceGuid');
    expect(row).not.toHaveProperty('cellId');
    expect(row).not.toHaveProperty('netInfo');
    expect(row.presence).toBe('ORDINARY');
    expect(row.stopping).toBeUndefined();
  } else {
    expect(row.instanceGuid).toBeDefined();
    expect(row.cellId).toBeDefined();
    expect(row).not.toHaveProperty('placement');
  }
  if (row.presence === 'EVACUATING') expect(row.state).toBe('RUNNING');
  expect(row.expiresAt !== undefined).toBe(row.presence === 'EVACUATING');
  if (row.moving !== undefined) expect(row.presence).toBe('EVACUATING');
  expect(row.netInfo !== undefined).toBe(row.state === 'RUNNING');
  if (row.restartAt !== undefined) expect(row.state).toBe('CRASHED');
  if (row.placement !== undefined) expect(row.placementError).toBeUndefined();
  const entries = indexEntries('actual', row).map(({ index, member }) => `${index} ${member}`);
  expect(new Set(entries).size).toBe(entries.length);
  const waits = row.state === 'UNCLAIMED' && row.placement === undefined;
  expect(entries.some((entry) => entry.startsWith('unplaced'))).toBe(waits);
}

function allowed(rule: () => Transition): Transition {
  try {
    return rule();
  } catch (error) {
    if (error instanceof RiveraError) return [];
    throw error;
  }
}

function byRecord(a: ActualLRP, b: ActualLRP): number {
  return actualId(a) < actualId(b) ? -1 : 1;
}

function identity({ index, instanceGuid = '' }: ActualLRP): string {
  return `${index} ${instanceGuid}`;
}

/** Instance guid → cell, of every record that holds an instance or was placed. */
function heldInstances(rows: Iterable<ActualLRP>): Map<string, string> {
  const held = new Map<string, string>();
  for (const { instanceGuid, cellId, placement } of rows) {
    if (instanceGuid !== undefined && cellId !== undefined) held.set(instanceGuid, cellId);
    else if (placement !== undefined) held.set(placement.instanceGuid, placement.cellId);
  }
  return held;
}

/** When the first of what changed is due: whoever reads events alone must know. */
function dueByEvents(transition: Transition): number {
  return Math.min(...dueAfter(eventsOf(transition)).values());
}

function dueByIndex(transition: Transition): number {
  const entries = transition.flatMap(({ kind, after }) => indexEntries(kind, after));
  return Math.min(...entries.filter(({ index }) => index === 'due').map(({ score }) => score), Infinity);
}
