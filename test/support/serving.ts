import type { ActualLRP, RiveraEvent } from '#rivera/models';

/** What anybody saw who followed the events. */
export interface Seen {
  /** The fewest indices that an instance ran for. */
  fewest: number;
  /** The most instances that were EVACUATING. */
  mostMoving: number;
}

/**
 * Replays events on the records they began with and watches, after each event, the instances that belong together.
 * `groupOf` names the group of a record, e.g. its process guid.
 */
export function watchServing(
  before: ActualLRP[],
  events: RiveraEvent[],
  groupOf: (actual: ActualLRP) => string = ({ processGuid }) => processGuid,
): Map<string, Seen> {
  const running = new Map(before.map((row) => [keyOf(row), row]));
  const groups = new Set(before.map(groupOf));
  const seen = new Map<string, Seen>();
  const look = (): void => {
    for (const group of groups) {
      const rows = [...running.values()].filter((row) => groupOf(row) === group);
      const indices = new Set(rows.map(({ processGuid, index }) => `${processGuid}/${index}`)).size;
      const moving = rows.filter(({ presence }) => presence === 'EVACUATING').length;
      const { fewest, mostMoving } = seen.get(group) ?? { fewest: Infinity, mostMoving: 0 };
      seen.set(group, { fewest: Math.min(fewest, indices), mostMoving: Math.max(mostMoving, moving) });
    }
  };
  look();
  for (const event of events) {
    if (event.type === 'actual_lrp_changed' || event.type === 'actual_lrp_removed') {
      running.delete(keyOf(event.before));
    }
    if (event.type === 'actual_lrp_changed' || event.type === 'actual_lrp_created') {
      if (event.after.state === 'RUNNING') running.set(keyOf(event.after), event.after);
    }
    look();
  }
  return seen;
}

function keyOf({ processGuid, index, instanceGuid }: ActualLRP): string {
  return `${processGuid}/${index} ${instanceGuid}`;
}
