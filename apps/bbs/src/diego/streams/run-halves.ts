import type { RunRecord } from '#rivera/lifecycle';
import type { RiveraEvent } from '#rivera/models';
import type { EventLog, LoggedEvent, ProcessRepository } from '#rivera/store';

/** The run half of a desired LRP as an event found it and as the event left it. */
export interface RunHalves {
  before?: RunRecord;
  after?: RunRecord;
}

type DesiredEvent = Extract<RiveraEvent, { type: `desired_lrp_${string}` }>;
type LoggedDesiredEvent = LoggedEvent & { event: DesiredEvent };

/**
 * The half of desired LRPs that events leave out (actions, environment, layers, …), which Diego's events have. It is read
 * from the store, as it was when the event happened: a run half that has changed or gone since then is in the event of
 * the log that did away with it, so there is no moment at which it cannot be found while the log reaches that far.
 */
export class EventRunHalves {
  private readonly found = new WeakMap<RiveraEvent, RunHalves>();

  constructor(
    private readonly processes: Pick<ProcessRepository, 'runInfos'>,
    private readonly log: Pick<EventLog, 'read'>,
  ) {}

  /** Empty: `find` was not asked, or the log no longer reaches that far. */
  of(event: RiveraEvent): RunHalves {
    return this.found.get(event) ?? {};
  }

  /** Looks up the run halves of these events. Errors: `unavailable`. */
  readonly find = async (events: readonly LoggedEvent[]): Promise<void> => {
    const desired = events.filter(isOfDesired);
    if (desired.length === 0) return;
    // Read before the log is: what replaces a run half after this moment is in the log that is read afterwards.
    const current = await this.currentRuns(desired);
    const later = new Map<number, Promise<LoggedDesiredEvent[]>>();
    await Promise.all(
      desired.map(async ({ shard, sequence, event, replacedRun }) => {
        if (event.type === 'desired_lrp_removed') {
          this.found.set(event, { before: replacedRun });
          return;
        }
        const { processGuid, modificationTag } = event.after;
        let after = current.get(processGuid);
        // A run half that has never changed since the desired LRP was made is the one of every event of it.
        const isFirst =
          after?.modificationTag.epoch === modificationTag.epoch && after.modificationTag.index === 0;
        if (!isFirst) {
          let read = later.get(shard);
          if (read === undefined) {
            const first = desired.find((each) => each.shard === shard)!;
            later.set(shard, (read = this.readFrom(shard, first.sequence)));
          }
          const next = (await read).find(
            (each) =>
              each.sequence > sequence &&
              each.replacedRun?.processGuid === processGuid &&
              each.replacedRun.modificationTag.epoch === modificationTag.epoch,
          );
          after =
            next?.replacedRun ?? (after?.modificationTag.epoch === modificationTag.epoch ? after : undefined);
        }
        const before = event.type === 'desired_lrp_created' ? undefined : (replacedRun ?? after);
        this.found.set(event, { before, after });
      }),
    );
  };

  private async currentRuns(desired: LoggedDesiredEvent[]): Promise<Map<string, RunRecord>> {
    const guids = desired.flatMap(({ event }) =>
      event.type === 'desired_lrp_removed' ? [] : [event.after.processGuid],
    );
    const runs = await this.processes.runInfos([...new Set(guids)]);
    return new Map(runs.map((run) => [run.processGuid, run]));
  }

  /** Events of desired LRPs of a shard after a place in its log, up to its end. */
  private async readFrom(shard: number, after: number): Promise<LoggedDesiredEvent[]> {
    const found: LoggedDesiredEvent[] = [];
    let place = after;
    let isMore = true;
    while (isMore) {
      const read = await this.log.read(shard, place);
      found.push(...read.events.filter(isOfDesired));
      place = read.events.at(-1)?.sequence ?? place;
      isMore = read.isMore && read.events.length > 0;
    }
    return found;
  }
}

function isOfDesired(logged: LoggedEvent): logged is LoggedDesiredEvent {
  return logged.event.type.startsWith('desired_lrp_');
}
