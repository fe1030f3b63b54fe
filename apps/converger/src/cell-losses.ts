import { Injectable } from '@nestjs/common';
import { type CellLossLimits, isLossHeld } from '#rivera/lifecycle';
import type { Cell } from '#rivera/models';
import { Clock, contextOf, Ids, Metrics, RiveraLogger } from '#rivera/platform';
import { CellRepository, type Fence } from '#rivera/store';

export interface CellLossOptions {
  /** After the store was away, cells get this long to renew their presence before any counts as lost. */
  presenceGraceMs: number;
  limits: CellLossLimits;
}

/** Notices cells whose presence ran out. When too many go at once it holds back their replacement, and says so loudly. */
@Injectable()
export class CellLosses {
  /** Before this, a presence that ran out proves nothing: nobody could renew while the store was away. */
  private graceEnds = 0;
  private readonly held;

  constructor(
    private readonly options: CellLossOptions,
    private readonly cells: CellRepository,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly logger: RiveraLogger,
    metrics: Metrics,
  ) {
    this.held = metrics.gauge({
      name: 'cells_replacement_held',
      help: 'Missing cells whose work is not replaced because too many went at once; see docs/operations/draining.md.',
    });
  }

  /** The store was away, or may have been: cells have to be given time. */
  giveGrace(): void {
    this.graceEnds = this.clock.now() + this.options.presenceGraceMs;
  }

  /** Marks the cells whose presence has run out as MISSING. Returns the ids of those that were looked at. */
  async lose(now: number, fence: Fence): Promise<string[]> {
    if (now < this.graceEnds) return [];
    const expired = await this.cells.expired(now);
    if (expired.length === 0) return [];
    const cells = await this.cells.list();
    const present = new Set(cells.filter(({ state }) => state === 'PRESENT').map(({ cellId }) => cellId));
    const losing = new Set(expired.map(({ cellId }) => cellId).filter((cellId) => present.has(cellId)));
    const isHeld = isLossHeld(cells, losing, this.options.limits, now);
    const lost: string[] = [];
    for (const { cellId, expiresAt } of expired) {
      const context = contextOf(this.clock, this.ids);
      const transition = await this.cells.lose(cellId, { expiresAt, isHeld }, context, { fence });
      if (transition.length === 0) continue;
      lost.push(cellId);
      this.logger.warn('lost-cell', { cellId, overdueMs: now - expiresAt, replacementHeld: isHeld });
    }
    if (isHeld && lost.length > 0) this.raiseAlarm(lost);
    return expired.map(({ cellId }) => cellId);
  }

  /** When the next presence runs out, in milliseconds since the Unix epoch. */
  async nextAt(now: number): Promise<number> {
    const expiresAt = (await this.cells.nextExpiry()) ?? Infinity;
    return now < this.graceEnds ? Math.max(expiresAt, this.graceEnds) : expiresAt;
  }

  /** Measures the cells as they were last read. */
  measure(cells: readonly Cell[]): void {
    this.held.set(cells.filter(({ replacementHeld }) => replacementHeld).length);
  }

  private raiseAlarm(cellIds: string[]): void {
    this.logger.error('replacement-held', {
      cellIds,
      ...this.options.limits,
      advice:
        'Too many cells went at once, which looks like a fault of the network. What they ran is left alone until they ' +
        'are back. If they are lost indeed, have it replaced with `rivera cells replace <id>`.',
    });
  }
}
