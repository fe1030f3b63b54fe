import {
  type CellStanding,
  type Context,
  indexEntries,
  type InstanceSnapshot,
  type ProcessSnapshot,
  type Transition,
  type World,
} from '#rivera/lifecycle';
import { type ActualLRP, type DesiredLRPSchedulingInfo, RiveraError } from '#rivera/models';
import { BUILT_AT, aRunningActualLRP, aSchedulingInfo, anActualLRP } from '../support/builders.js';

/** When the rules of these tests are applied: an hour after their records were made. */
export const NOW = BUILT_AT + 3_600_000;
export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;

export const MINE = { instanceGuid: 'mine', cellId: 'cell-1' };
export const OTHER = { instanceGuid: 'other', cellId: 'cell-2' };

export const STARTED = {
  netInfo: { address: '10.0.0.1', ports: [{ containerPort: 8080, hostPort: 61_001 }] },
  routable: true,
  availabilityZone: 'z1',
};

/** A context with guids that can be told apart: `new-1`, `new-2`, … */
export function at(now = NOW): Context {
  let guids = 0;
  return { now, newGuid: () => `new-${(guids += 1)}` };
}

const KEY = { processGuid: 'my-app', index: 0 };

export const desiredInstances = (instances: number, overrides: Partial<DesiredLRPSchedulingInfo> = {}) =>
  aSchedulingInfo({ processGuid: 'my-app', instances, ...overrides });
export const unclaimed = (overrides: Partial<ActualLRP> = {}) => anActualLRP({ ...KEY, ...overrides });
export const claimed = (overrides: Partial<ActualLRP> = {}) =>
  anActualLRP({ ...KEY, ...MINE, state: 'CLAIMED', ...overrides });
export const running = (overrides: Partial<ActualLRP> = {}) =>
  aRunningActualLRP({ ...KEY, ...MINE, ...STARTED, ...overrides });
export const crashed = (overrides: Partial<ActualLRP> = {}) =>
  anActualLRP({ ...KEY, state: 'CRASHED', crashCount: 3, crashReason: 'exited with status 1', ...overrides });
export const suspect = (overrides: Partial<ActualLRP> = {}) => running({ presence: 'SUSPECT', ...overrides });
export const evacuating = (overrides: Partial<ActualLRP> = {}) =>
  running({ presence: 'EVACUATING', expiresAt: NOW + 10 * MINUTE, ...overrides });

/** Index 0 of a process that wants one instance. */
export function slotWith(rows: Partial<InstanceSnapshot> = {}): InstanceSnapshot {
  return { ...KEY, desired: desiredInstances(1), ...rows };
}

/** The same index after its desired LRP was removed. */
export function unwantedSlotWith(rows: Partial<InstanceSnapshot> = {}): InstanceSnapshot {
  return { ...slotWith(rows), desired: undefined };
}

export function processWith(actuals: ActualLRP[], desired?: DesiredLRPSchedulingInfo): ProcessSnapshot {
  return { processGuid: 'my-app', desired, actuals };
}

/** A world in which only these cells exist, and these domains are fresh. */
export function worldOf(
  cells: Record<string, CellStanding> = {},
  { fresh = ['some-domain'] }: { fresh?: string[] } = {},
): World {
  return { cells: new Map(Object.entries(cells)), isFresh: (domain) => fresh.includes(domain) };
}

export const BOTH_CELLS = worldOf({ 'cell-1': 'PRESENT', 'cell-2': 'PRESENT' });
export const CELL_2_ONLY = worldOf({ 'cell-1': 'MISSING', 'cell-2': 'PRESENT' });

/** The record an only change leaves behind. */
export function only<T = ActualLRP>(transition: Transition): T {
  expect(transition).toHaveLength(1);
  return transition[0]?.after as T;
}

/** Which records a transition writes (`+`) or removes (`-`), e.g. `+0/ORDINARY/UNCLAIMED`. */
export function outline(transition: Transition): string[] {
  return transition.map((change) => {
    const record = change.after ?? change.before;
    const sign = change.after === undefined ? '-' : '+';
    if (change.kind !== 'actual' || record === undefined) return `${sign}${change.kind}`;
    const { index, presence, state } = record as ActualLRP;
    return `${sign}${index}/${presence}/${state}`;
  });
}

/** The code of the domain error that a rule answers with, or `ok`. */
export function answerOf(rule: () => Transition): string {
  try {
    return rule().length === 0 ? 'no change' : 'ok';
  } catch (error) {
    if (error instanceof RiveraError) return error.code;
    throw error;
  }
}

/** Does it leave something in the index that the auctioneer reads? */
export function waitsForCell(transition: Transition): boolean {
  return transition.some(({ kind, after }) =>
    indexEntries(kind, after).some(({ index }) => index === 'unplaced'),
  );
}
