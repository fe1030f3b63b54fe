import { Injectable } from '@nestjs/common';
import { Mailboxes, WakeLoop } from '#rivera/actor';
import { DEFAULT_REBALANCE_OPTIONS, planRebalance } from '#rivera/auction';
import {
  type Context,
  instanceOf,
  moveInstance,
  type ProcessSnapshot,
  type Transition,
} from '#rivera/lifecycle';
import { type ActualLRP, type Move, type RebalanceResult, RiveraError } from '#rivera/models';
import { Clock, contextOf, Ids, RiveraLogger } from '#rivera/platform';
import { type Fence, ProcessRepository } from '#rivera/store';
import { Foundation } from './foundation.js';

export interface RebalancerOptions {
  /** The background goes round this often; 0 = it does not. */
  intervalMs: number;
  /** What the background may move. */
  movesPerMinute: number;
  /** In points for each unit of cost (docs/simulation.md). */
  minGain: number;
  /** Cells are meant to be filled one after the other, so that a full cell beside an empty one is as it should be. */
  isPacking: boolean;
  /** How long a cell has to claim what it was given. */
  placementDeadlineMs: number;
}

/** A replacement has this long to run; otherwise the old copy stays. */
const MOVE_TIMEOUT_MS = 300_000;

/**
 * Evens out what auctions leave uneven, because nothing moves by itself: after cells have joined or come back, after
 * scaling down. It plans on what the store says now, and moves by evacuation: the replacement runs before the old copy
 * goes, at most one instance of an app at a time. Off unless it is told to go round; operators may ask at any time.
 */
@Injectable()
export class Rebalancer {
  private fence: Fence | undefined;
  private readonly loop = new WakeLoop({
    run: () => this.goRound(),
    onError: (error) => this.logger.warn('rebalance-failed', { error }),
    retryMs: 5_000,
  });

  constructor(
    private readonly options: RebalancerOptions,
    private readonly foundation: Foundation,
    private readonly processes: ProcessRepository,
    private readonly mailboxes: Mailboxes,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly logger: RiveraLogger,
  ) {}

  /** The lease is ours: what is moved from now on is written under its token. */
  activate(token: number, signal: AbortSignal): void {
    this.fence = { role: 'auctioneer', token };
    if (this.options.intervalMs > 0) this.loop.start(signal);
  }

  /** Plans, and unless it is a dry run moves. A dry run writes nothing. */
  async rebalance({ dryRun, maxMoves }: { dryRun: boolean; maxMoves: number }): Promise<RebalanceResult> {
    const world = await this.foundation.read();
    const { minGain, isPacking } = this.options;
    const weights = { ...DEFAULT_REBALANCE_OPTIONS.weights, ...(isPacking && { fill: 0 }) };
    const plan = planRebalance(world, { maxMoves, minGain, weights });
    const started: RebalanceResult['started'] = [];
    if (!dryRun) {
      for (const move of plan.moves) {
        if (await this.start(move)) started.push({ processGuid: move.processGuid, index: move.index });
      }
      if (plan.moves.length > 0) {
        const { before, after } = plan;
        this.logger.log('rebalanced', { moves: started.length, before: before.points, after: after.points });
      }
    }
    return { ...plan, dryRun, started };
  }

  private async goRound(): Promise<number> {
    const { intervalMs, movesPerMinute } = this.options;
    const maxMoves = Math.max(1, Math.floor((movesPerMinute * intervalMs) / 60_000));
    await this.rebalance({ dryRun: false, maxMoves });
    // Not more often than the budget allows for a single move.
    return Math.max(intervalMs, (maxMoves * 60_000) / movesPerMinute);
  }

  /** True when the move is under way. */
  private async start(move: Move): Promise<boolean> {
    if (this.fence === undefined) {
      throw new RiveraError('unavailable', 'This auctioneer is not active yet. Ask again in a moment.');
    }
    const context = contextOf(this.clock, this.ids);
    const { fence } = this;
    const decide = (process: ProcessSnapshot) => this.decide(process, move, context);
    const transition = await this.processes.change(move.processGuid, decide, { fence });
    const replacement = transition.flatMap(({ kind, after }) =>
      kind === 'actual' && after?.placement !== undefined ? [after] : [],
    );
    for (const actual of replacement) await this.tellCell(actual);
    return replacement.length > 0;
  }

  private decide(process: ProcessSnapshot, { index, from, to }: Move, context: Context): Transition {
    const { instanceGuid, cellId } = instanceOf(process, index).ordinary ?? {};
    // It may have moved by itself since the plan was made.
    if (instanceGuid === undefined || cellId !== from) return [];
    const { now } = context;
    const { placementDeadlineMs } = this.options;
    const placement = { instanceGuid: context.newGuid(), cellId: to, deadline: now + placementDeadlineMs };
    const deadline = now + MOVE_TIMEOUT_MS;
    return moveInstance(process, index, { instanceGuid, cellId }, { placement, deadline }, context);
  }

  /** A cell whose message is lost finds the placement when it next reads its work, or its deadline passes. */
  private async tellCell({ processGuid, index, resources, placement }: ActualLRP): Promise<void> {
    if (placement === undefined) return;
    const { cellId, instanceGuid } = placement;
    try {
      await this.mailboxes
        .cell(cellId)
        .tell('place', { lrps: [{ processGuid, index, instanceGuid, resources }], tasks: [] });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.logger.warn('failed-to-tell-cell', { cellId, reason });
    }
  }
}
