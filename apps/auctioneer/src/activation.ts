import { WakeLoop } from '#rivera/actor';
import type { RiveraEvent } from '#rivera/models';
import type { RiveraLogger } from '#rivera/platform';
import { type Fence, type LoggedEvent, type Store, WORK_SHARD_IDS } from '#rivera/store';
import type { AuctioneerParts } from './auctioneer-parts.js';
import { BlockedWork } from './blocked-work.js';
import { CellPicture } from './cell-picture.js';
import { CellTrust } from './cell-trust.js';
import { Decider } from './decider.js';
import { type Decision, type ShardOutcome, tagOnceDecided } from './placement-commits.js';
import { failureOf, isAboutCells, newsOf } from './placement-news.js';
import { UnplacedWork } from './unplaced-work.js';
import type { Member } from './work-member.js';
import type { WorkRecord } from './work-reader.js';

/** Decided and committed together. Large enough that a commit costs little, small enough not to hold up the next event. */
const BATCH = 2_000;
/** While one batch is being written the next one is decided. */
const BATCHES_AT_ONCE = 2;
/** After an error of the store. */
const RETRY_MS = 500;
/** Diego BBS: unplaced work is offered again after this long. Here only in case something else has gone wrong. */
const SAFETY_NET_MS = 30_000;
/** Shards whose index is read again each time, so that all have been after some minutes. */
const SHARDS_PER_SWEEP = 8;
const INDEX_PAGE = 5_000;

/**
 * The auctioneer while it holds the lease. It learns from the event log what waits for a cell and which cells got room;
 * the index of unplaced work is the truth that it reads when it begins, when the log has a gap, and bit by bit as a
 * safety net. A wake-up costs what is new, not what is blocked.
 */
export class Activation {
  readonly trust = new CellTrust();
  readonly blocked = new BlockedWork();
  readonly unplaced = new UnplacedWork();
  readonly probes = new Set<Member>();
  picture: CellPicture;
  private readonly decider: Decider;
  private readonly batches = new Set<Promise<void>>();
  /** Cells that have got room since the last pass. */
  private readonly raised = new Set<string>();
  private startsEnded = 0;
  /** Since the last pass: what blocked work was told may no longer be true. */
  private haveCellsChanged = false;
  /** Work whose commit failed: it may have been placed, and its cell not told. */
  private readonly doubtful = new Set<Member>();
  private passedAt = 0;
  private resumeAt = 0;
  private nextSafetyNet = 0;
  private nextShard = 0;
  private readonly loop = new WakeLoop({
    run: () => this.pass(),
    onError: (error) => this.logger.warn('auction-failed', { error }),
  });

  constructor(
    private readonly parts: AuctioneerParts,
    private readonly fence: Fence,
  ) {
    this.picture = this.newPicture();
    this.decider = new Decider(parts, this);
  }

  /** Returns when the picture of the cells is complete and work is being placed. */
  async start(signal: AbortSignal): Promise<void> {
    const { log, clock } = this.parts;
    const cursor = await log.now();
    await this.load();
    this.nextSafetyNet = clock.now() + SAFETY_NET_MS;
    log
      .follow(
        cursor,
        {
          onEvents: (events) => this.apply(events),
          onReset: (reason) => this.reload(reason),
        },
        signal,
      )
      .catch((error: unknown) => this.logger.error('stopped-following-events', { error }));
    this.loop.start(signal);
  }

  private get logger(): RiveraLogger {
    return this.parts.logger;
  }

  private get store(): Store {
    return this.parts.store;
  }

  private newPicture(): CellPicture {
    return new CellPicture(this.parts.newEngine(), this.trust);
  }

  private async load(): Promise<void> {
    const { loader, messages, clock } = this.parts;
    // Whoever committed these may have ended before it told the cells; hearing of it twice does no harm.
    await loader.load(this.picture, clock.now(), (work) => messages.add(work));
    messages.send();
    for (const member of this.blocked.wakeAll()) this.unplaced.add(member);
    await this.sweep(WORK_SHARD_IDS);
  }

  private async reload(reason: string): Promise<void> {
    this.logger.warn('reloading-cell-picture', { reason });
    this.resumeAt = Infinity;
    await Promise.all(this.batches);
    this.picture = this.newPicture();
    await this.load();
    this.resumeAt = 0;
    this.loop.wake();
  }

  private apply(events: LoggedEvent[]): void {
    const now = this.parts.clock.now();
    for (const { event } of events) {
      const { unplaced, settled, refusedBy, takenBy, renewed } = newsOf(event);
      const isTrustedAgain = [takenBy, renewed].filter(
        (cellId) => cellId !== undefined && this.trust.restore(cellId),
      );
      this.noteFailure(event, now);
      if (isAboutCells(event)) this.haveCellsChanged = true;
      if (event.type === 'cell_removed') void this.parts.messages.forget(event.before.cellId);
      const raised = this.picture.applyEvent(event, now);
      if (raised !== undefined) this.raised.add(raised);
      if (raised !== undefined) this.startsEnded += 1;
      for (const cellId of isTrustedAgain) this.readmit(cellId!, now);
      if (refusedBy !== undefined) this.noteRefusal(refusedBy, now);
      if (unplaced !== undefined) this.unplaced.add(unplaced);
      if (settled !== undefined) {
        this.unplaced.delete(settled);
        this.blocked.delete(settled);
      }
    }
    const mayHelpBlocked = this.raised.size > 0 || this.haveCellsChanged;
    if (this.unplaced.size > 0 || (mayHelpBlocked && this.blocked.size > 0)) this.loop.wake();
  }

  /** The cell is tried last for other instances of the app, too. */
  private noteFailure(event: RiveraEvent, now: number): void {
    const failure = failureOf(event);
    if (failure !== undefined) this.parts.failures.note(failure.processGuid, failure.cellId, now);
  }

  private noteRefusal(cellId: string, now: number): void {
    this.parts.metrics.refused.inc();
    if (!this.trust.refused(cellId, now)) return;
    this.picture.admit(cellId, now);
    this.logger.warn('cell-rests', { cellId, ...this.trust.get(cellId) });
    this.loop.wake();
  }

  private readmit(cellId: string, now: number): void {
    this.picture.admit(cellId, now);
    this.raised.add(cellId);
  }

  /** Starts as many batches as may run. Returns in how many ms something is due by itself. */
  private async pass(): Promise<number> {
    const now = this.parts.clock.now();
    for (const cellId of this.trust.restedSince(this.passedAt, now)) this.readmit(cellId, now);
    this.passedAt = now;
    if (now >= this.nextSafetyNet) await this.castSafetyNet(now);
    this.wakeBlocked();
    if (now >= this.resumeAt) {
      while (this.batches.size < BATCHES_AT_ONCE) {
        const members = this.unplaced.take(BATCH);
        if (members.length === 0) break;
        this.begin(members);
      }
    }
    this.parts.metrics.waiting.set(this.unplaced.size);
    this.parts.metrics.blocked.set(this.blocked.size);
    this.parts.metrics.distrusted.set(this.trust.distrusted.length);
    const due = [this.nextSafetyNet, this.trust.nextEnd(now) ?? Infinity];
    if (this.unplaced.size > 0 && Number.isFinite(this.resumeAt))
      due.push(Math.max(this.resumeAt, now + RETRY_MS));
    return Math.max(1, Math.min(...due) - now);
  }

  private wakeBlocked(): void {
    const woken = this.blocked.wakeStarts(this.startsEnded);
    for (const cellId of this.raised) {
      const cell = this.picture.usableCell(cellId, this.parts.clock.now());
      const available = this.picture.engine.available(cellId);
      if (cell !== undefined && available !== undefined) woken.push(...this.blocked.wakeFor(cell, available));
    }
    // One of each kind, to learn whether what they were told is still true.
    if (this.haveCellsChanged) woken.push(...this.blocked.probe());
    this.raised.clear();
    this.haveCellsChanged = false;
    this.startsEnded = 0;
    for (const member of woken) this.unplaced.add(member);
  }

  private async castSafetyNet(now: number): Promise<void> {
    const shards = Array.from(
      { length: SHARDS_PER_SWEEP },
      (_, offset) => (this.nextShard + offset) % WORK_SHARD_IDS.length,
    );
    await this.sweep(shards);
    this.nextShard = (this.nextShard + SHARDS_PER_SWEEP) % WORK_SHARD_IDS.length;
    this.nextSafetyNet = now + SAFETY_NET_MS;
    for (const member of this.blocked.tasks()) this.unplaced.add(member);
    for (const member of this.blocked.probe()) {
      this.unplaced.add(member);
      this.probes.add(member);
    }
  }

  private async sweep(shards: readonly number[]): Promise<void> {
    for (const shard of shards) {
      let after: string | undefined;
      do {
        const members = await this.store.membersByName(shard, 'unplaced', { after, limit: INDEX_PAGE });
        for (const member of members) {
          if (!this.unplaced.has(member) && !this.blocked.has(member)) this.unplaced.add(member);
        }
        after = members.length === INDEX_PAGE ? members.at(-1) : undefined;
      } while (after !== undefined);
    }
  }

  private begin(members: Member[]): void {
    const batch = this.place(members)
      .catch((error: unknown) => {
        this.logger.warn('auction-failed', { error });
        this.tryAgain(members);
      })
      .finally(() => {
        this.unplaced.settle(members);
        for (const member of members) this.probes.delete(member);
        this.batches.delete(batch);
        this.loop.wake();
      });
    this.batches.add(batch);
  }

  private tryAgain(members: Member[]): void {
    for (const member of members) {
      this.doubtful.add(member);
      this.unplaced.add(member);
    }
    this.resumeAt = Math.max(this.resumeAt, this.parts.clock.now() + RETRY_MS);
  }

  private async place(members: Member[]): Promise<void> {
    const { reader, commits, messages, metrics } = this.parts;
    const { unplaced, placed } = await reader.read(members);
    this.tellAgain(members, placed);
    if (unplaced.length === 0) return;
    const endTimer = metrics.duration.startTimer();
    const decisions = this.decider.decide(unplaced);
    let outcomes: ShardOutcome[];
    try {
      outcomes = await commits.commit(decisions, this.fence);
    } catch (error) {
      this.dismiss(decisions);
      throw error;
    }
    for (const outcome of outcomes) this.settle(outcome);
    messages.send();
    endTimer();
  }

  private settle({ decisions, transition, moot, error }: ShardOutcome): void {
    const { messages, metrics } = this.parts;
    if (error !== undefined) {
      this.logger.warn('failed-to-commit-placements', { error });
      this.dismiss(decisions);
      this.tryAgain(decisions.map(({ work }) => work.member));
      return;
    }
    this.dismiss(moot);
    for (const { kind, after } of transition) {
      if (after === undefined || (kind !== 'actual' && kind !== 'task')) continue;
      const work = { kind, record: after } as WorkRecord;
      if (work.kind === 'task') this.picture.applyTask(work.record);
      else this.picture.applyActual(work.record);
      messages.add(work);
    }
    const placements = decisions.filter(({ cellId }) => cellId !== undefined).length - moot.length;
    metrics.placed.inc(placements);
    metrics.failed.inc(decisions.length - placements - moot.length);
  }

  private dismiss(decisions: readonly Decision[]): void {
    for (const { work, cellId } of decisions) {
      if (cellId !== undefined) this.picture.dismiss(work.member, tagOnceDecided(work));
    }
  }

  /** Placements of ours of which we did not know that they were written. */
  private tellAgain(members: readonly Member[], placed: readonly WorkRecord[]): void {
    if (this.doubtful.size === 0) return;
    if (members.some((member) => this.doubtful.delete(member))) {
      for (const work of placed) this.parts.messages.add(work);
      this.parts.messages.send();
    }
  }
}
