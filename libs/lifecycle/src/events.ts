import type { ActualLRP, RiveraEvent } from '#rivera/models';
import type { RecordChange, Transition } from './change.js';

type ActualChange = Extract<RecordChange, { kind: 'actual' }>;

/**
 * The events of one transition, in the order they are told (Diego BBS §4.7): crashes first, then what is RUNNING now,
 * then the rest in the order of the changes, so that nobody sees something go before its replacement runs.
 */
export function eventsOf(transition: Transition): RiveraEvent[] {
  const actuals = eventsOfActuals(transition.filter((change) => change.kind === 'actual'));
  return transition
    .flatMap((change) => (change.kind === 'actual' ? (actuals.get(change) ?? []) : eventsOfRecord(change)))
    .toSorted((a, b) => rank(a) - rank(b));
}

function eventsOfRecord(change: Exclude<RecordChange, ActualChange>): RiveraEvent[] {
  switch (change.kind) {
    case 'desired':
      return pair('desired_lrp', change.before, change.after) as RiveraEvent[];
    case 'task':
      return pair('task', change.before, change.after) as RiveraEvent[];
    case 'cell':
      return pair('cell', change.before, change.after) as RiveraEvent[];
    case 'deployment':
      return pair('deployment', change.before, change.after) as RiveraEvent[];
    case 'run':
    case 'domain':
      return [];
  }
}

/**
 * To whoever follows events, an instance is its slot and its instance key together. A record that loses its key ends
 * one identity and begins another (created, removed); a key that moves to a record of another presence is one identity
 * that changed.
 */
function eventsOfActuals(changes: ActualChange[]): Map<ActualChange, RiveraEvent[]> {
  const restarted = changes.filter((change) => !keepsIdentity(change));
  const gains = new Map<string, ActualLRP>();
  for (const { after } of restarted)
    if (after?.instanceGuid !== undefined) gains.set(after.instanceGuid, after);
  const lost = new Set(restarted.map(({ before }) => before?.instanceGuid));

  const events = new Map<ActualChange, RiveraEvent[]>();
  for (const change of changes) {
    const { before, after, crash } = change;
    const own: RiveraEvent[] = [];
    if (crash !== undefined && before !== undefined)
      own.push({ type: 'actual_lrp_crashed', before, ...crash, since: after?.since ?? before.since });
    if (keepsIdentity(change)) {
      own.push(...(pair('actual_lrp', before, after) as RiveraEvent[]));
    } else {
      const movedTo = before?.instanceGuid === undefined ? undefined : gains.get(before.instanceGuid);
      const movedHere = after?.instanceGuid !== undefined && lost.has(after.instanceGuid);
      if (before !== undefined && movedTo !== undefined) {
        own.push({ type: 'actual_lrp_changed', before, after: movedTo });
      }
      const created: RiveraEvent[] =
        after !== undefined && !movedHere ? [{ type: 'actual_lrp_created', after }] : [];
      const removed: RiveraEvent[] =
        before !== undefined && movedTo === undefined ? [{ type: 'actual_lrp_removed', before }] : [];
      // Two without a key are one identity: told the other way round, the new one would seem to be gone.
      own.push(...(isMadeAnew(change) ? [...removed, ...created] : [...created, ...removed]));
    }
    events.set(change, own);
  }
  return events;
}

function keepsIdentity({ before, after }: ActualChange): boolean {
  if (before === undefined || after === undefined) return false;
  const startsAnew = after.state === 'UNCLAIMED' && before.state !== 'UNCLAIMED';
  return before.modificationTag.epoch === after.modificationTag.epoch && !startsAnew;
}

/** Nothing ran: the record goes, and one of another epoch takes its place. */
function isMadeAnew({ before, after }: ActualChange): boolean {
  if (before === undefined || before.instanceGuid !== undefined || after?.instanceGuid !== undefined)
    return false;
  return before.modificationTag.epoch !== after?.modificationTag.epoch;
}

function pair<T extends string, R>(type: T, before: R | undefined, after: R | undefined): object[] {
  if (before === undefined && after === undefined) return [];
  if (before === undefined) return [{ type: `${type}_created`, after }];
  if (after === undefined) return [{ type: `${type}_removed`, before }];
  return [{ type: `${type}_changed`, before, after }];
}

function rank(event: RiveraEvent): number {
  if (event.type === 'actual_lrp_crashed') return 0;
  const isRunning =
    (event.type === 'actual_lrp_created' || event.type === 'actual_lrp_changed') &&
    event.after.state === 'RUNNING';
  return isRunning ? 1 : 2;
}
