import type { Move, RebalancePlan, RebalanceReason } from '#rivera/models';
import { imbalanceOf } from './rebalance-imbalance.js';
import { RebalanceState } from './rebalance-state.js';
import type { AppState, CellState } from './rebalance-state.js';
import { hash32 } from './tie-break.js';
import { DEFAULT_REBALANCE_OPTIONS } from './rebalance-types.js';
import type { RebalanceOptions, RebalanceWorld } from './rebalance-types.js';

/**
 * Moves that even out what auctions leave uneven because nothing moves by itself: zones of an app that differ by more
 * than one, several instances of an app on one cell, full cells beside empty ones, lost holes. Pure and deterministic.
 *
 * Of an app at most one instance moves; its zones never differ by more than before. A target matches the app's
 * constraints and has room beside everything that is on its way to it, while the old copies are still there. Each move
 * gains at least `minGain` for its cost, measured after the moves before it, so that planning and moving again and again comes to an
 * end.
 */
export function planRebalance(world: RebalanceWorld, options: Partial<RebalanceOptions> = {}): RebalancePlan {
  const chosen = { ...DEFAULT_REBALANCE_OPTIONS, ...options };
  const state = new RebalanceState(world, chosen);
  const before = imbalanceOf(state);
  const moves: Move[] = [];
  while (takeBest(state, moves) > 0);
  return { moves, before, after: imbalanceOf(state) };
}

/**
 * Takes the moves that are worth most for their cost until none of the candidates is worth its while or there are enough
 * moves; answers how many it took. What a candidate is worth changes with the moves before it, so it is looked at again
 * when its turn comes, and waits for another turn if it is worth less than the next by then.
 */
function takeBest(state: RebalanceState, moves: Move[]): number {
  const { maxMoves, minGain } = state.options;
  const taken = moves.length;
  const queue = candidates(state);
  for (let next = queue.pop(); next !== undefined && moves.length < maxMoves; next = queue.pop()) {
    const target = bestTarget(state, next);
    if (target === undefined) continue;
    next.value = target.gain / costOf(next.app);
    if (next.value < minGain) continue;
    const later = queue.at(-1);
    if (later !== undefined && next.value < later.value) {
      insert(queue, next);
      continue;
    }
    state.move(next.app, next.index, target.to);
    moves.push(describe(next, target));
  }
  return moves.length - taken;
}

interface Candidate {
  app: AppState;
  index: number;
  from: CellState;
  /** Gain ÷ cost. */
  value: number;
  /** Decides between equals. */
  tie: number;
}

interface Target {
  to: CellState;
  gain: number;
  reason: RebalanceReason;
}

/** Of the cells, so many of the fullest are looked at for instances to move. */
const FULLEST_SHARE = 0.02;
const FULLEST_LEAST = 10;

/** Instances that may be worth moving, those that are worth most last. */
function candidates(state: RebalanceState): Candidate[] {
  const fullest = new Set(
    state.byFill().slice(-Math.max(FULLEST_LEAST, Math.ceil(state.cellCount * FULLEST_SHARE))),
  );
  const found: Candidate[] = [];
  for (const app of state.movableApps()) {
    const isUneven = state.isUneven(app);
    for (const [index, from] of app.cellOfIndex) {
      if (!isUneven && !fullest.has(from)) continue;
      const candidate = { app, index, from, value: 0, tie: hash32(`${app.processGuid}.${index}`) };
      const target = bestTarget(state, candidate);
      if (target !== undefined) found.push({ ...candidate, value: target.gain / costOf(app) });
    }
  }
  return found.toSorted(inTurn);
}

/** Those that are worth most come last. */
function inTurn(a: Candidate, b: Candidate): number {
  return (
    a.value - b.value ||
    a.tie - b.tie ||
    (a.app.processGuid < b.app.processGuid
      ? -1
      : a.app.processGuid > b.app.processGuid
        ? 1
        : a.index - b.index)
  );
}

function insert(queue: Candidate[], candidate: Candidate): void {
  let [low, high] = [0, queue.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (inTurn(queue[middle] as Candidate, candidate) < 0) low = middle + 1;
    else high = middle;
  }
  queue.splice(low, 0, candidate);
}

/** The target with the largest gain; undefined when there is none or the app has moved already. */
function bestTarget(state: RebalanceState, { app, from }: Candidate): Target | undefined {
  if (app.hasMoved) return undefined;
  let best: Target | undefined;
  for (const to of state.targets(app, from)) {
    const gains = state.gains(app, from, to);
    const gain = gains.zone + gains.locality + gains.hole + gains.fill;
    if (gain <= 0 || !isBetter({ gain, to }, best)) continue;
    const names = Object.keys(gains) as RebalanceReason[];
    const reason = names.reduce((most, name) => (gains[name] > gains[most] ? name : most));
    best = { to, gain, reason };
  }
  return best;
}

function isBetter({ gain, to }: Omit<Target, 'reason'>, best: Target | undefined): boolean {
  if (best === undefined || gain !== best.gain) return best === undefined || gain > best.gain;
  return to.cellId < best.to.cellId;
}

function describe({ app, index, from }: Candidate, { to, gain, reason }: Target): Move {
  const { processGuid } = app;
  return { processGuid, index, from: from.cellId, to: to.cellId, gain, cost: costOf(app), reason };
}

function costOf({ memoryMb }: AppState): number {
  return 1 + memoryMb / 1024;
}
