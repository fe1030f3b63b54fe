import {
  type Context,
  failPlacement,
  failTaskPlacement,
  place,
  placeTask,
  type Transition,
} from '#rivera/lifecycle';
import { type ModificationTag, RiveraError } from '#rivera/models';
import { Clock, contextOf, Ids } from '#rivera/platform';
import type { Fence, Store } from '#rivera/store';
import { type Member, shardOfMember } from './work-member.js';
import { memberOf, type UnplacedRecord, type WorkReader, type WorkRecord } from './work-reader.js';

/** What the auction decided about one piece of work: a cell, or why there is none. */
export interface Decision {
  work: UnplacedRecord;
  cellId?: string;
  error?: string;
}

/** What became of the decisions of one shard. */
export interface ShardOutcome {
  decisions: Decision[];
  /** What is in the store now. */
  transition: Transition;
  /** Placements that came to nothing, because somebody else has moved the work on. */
  moot: Decision[];
  /** Nobody knows whether it was written; `transition` is empty. */
  error?: unknown;
}

const MAX_ATTEMPTS = 50;

/** The version a record has once a decision on it is committed. */
export function tagOnceDecided({ record }: WorkRecord): ModificationTag {
  const { epoch, index } = record.modificationTag;
  return { epoch, index: index + 1 };
}

/**
 * Writes decisions: one commit a shard, placements and failures together, under the token of the lease. The first attempt
 * rests on the records as they were read for the auction; when one of them has changed since, all of that shard are read
 * again, and work that somebody else has moved on is left alone.
 */
export class PlacementCommits {
  constructor(
    private readonly store: Store,
    private readonly reader: WorkReader,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly placementDeadlineMs: number,
  ) {}

  /** One outcome a shard. Errors: `fenced`; anything else is the outcome of the shard it befell. */
  async commit(decisions: readonly Decision[], fence: Fence): Promise<ShardOutcome[]> {
    const byShard = new Map<number, Decision[]>();
    for (const decision of decisions) {
      const shard = shardOfMember(decision.work.member);
      const ofShard = byShard.get(shard);
      if (ofShard === undefined) byShard.set(shard, [decision]);
      else ofShard.push(decision);
    }
    return Promise.all(
      [...byShard].map(async ([shard, ofShard]) => {
        try {
          return await this.commitShard(shard, ofShard, fence);
        } catch (error) {
          if (error instanceof RiveraError && error.code === 'fenced') throw error;
          return { decisions: ofShard, transition: [], moot: [], error };
        }
      }),
    );
  }

  private async commitShard(shard: number, decisions: Decision[], fence: Fence): Promise<ShardOutcome> {
    let records = new Map<Member, WorkRecord>(decisions.map(({ work }) => [work.member, work]));
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const context = contextOf(this.clock, this.ids);
      const transition: Transition = [];
      const moot: Decision[] = [];
      for (const decision of decisions) {
        const changes = this.changesOf(decision, records.get(decision.work.member), context);
        transition.push(...changes);
        if (changes.length === 0 && decision.cellId !== undefined) moot.push(decision);
      }
      if (transition.length === 0 || (await this.store.commit(shard, transition, { fence }))) {
        return { decisions, transition, moot };
      }
      const read = await this.reader.readShard(shard, [...records.keys()]);
      records = new Map(read.map((work) => [memberOf(work), work]));
    }
    throw new RiveraError('conflict', `Others keep changing the work of shard ${shard}; it is tried again.`);
  }

  private changesOf(decision: Decision, work: WorkRecord | undefined, context: Context): Transition {
    if (work === undefined) return [];
    const { cellId, error = '' } = decision;
    const deadline = context.now + this.placementDeadlineMs;
    if (work.kind === 'task') {
      const task = work.record;
      return cellId === undefined
        ? failTaskPlacement(task, error, context)
        : placeTask(task, { instanceGuid: task.taskGuid, cellId, deadline }, context);
    }
    const { processGuid, index } = work.record;
    const instance = { processGuid, index, ordinary: work.record };
    return cellId === undefined
      ? failPlacement(instance, error)
      : place(instance, { instanceGuid: context.newGuid(), cellId, deadline });
  }
}
