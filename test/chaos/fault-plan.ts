import type { Chance } from './random.js';

export type FaultKind =
  | 'kill'
  | 'pause'
  | 'cut'
  | 'loss'
  | 'loss-up'
  | 'loss-down'
  | 'delay'
  | 'redis-kill'
  | 'redis-pause'
  | 'engine-kill'
  | 'engine-stop'
  | 'container-kill';

/** One thing that goes wrong. Times are milliseconds; `atMs` is since the storm began. */
export interface Fault {
  atMs: number;
  kind: FaultKind;
  /** A program, a link, `redis`, `engine`, or a cell one of whose containers is killed. */
  target: string;
  /** How long it lasts. */
  forMs: number;
  /** Of `delay`: by how much; of `container-kill`: which. */
  amount: number;
}

export interface FaultTargets {
  programs: readonly string[];
  links: readonly string[];
  cells: readonly string[];
  hasEngine: boolean;
}

const SHORT_MS = { least: 100, most: 3_000 };
/** One in so many faults of a cell lasts longer than its presence. */
const LONG_ONE_IN = 12;
const LONG_BEYOND_TTL_MS = { least: 1_000, most: 6_000 };
/** After a fault its target is left alone for a while. */
const REST_MS = 2_000;

/**
 * What goes wrong in one storm: one fault each `gapMs` on average, several at a time but one of a target, all drawn from
 * one chance, so that a seed names the same faults every time.
 */
export function planFaults(
  chance: Chance,
  options: { durationMs: number; gapMs: number; presenceTtlMs: number; targets: FaultTargets },
): Fault[] {
  const { durationMs, gapMs, presenceTtlMs, targets } = options;
  const plan: Fault[] = [];
  const busyUntil = new Map<string, number>();
  for (let atMs = chance.between(0, gapMs); atMs < durationMs; atMs += chance.between(1, 2 * gapMs)) {
    const fault = { atMs, ...drawFault(chance, presenceTtlMs, targets) };
    if ((busyUntil.get(fault.target) ?? 0) > atMs) continue;
    busyUntil.set(fault.target, atMs + fault.forMs + REST_MS);
    plan.push(fault);
  }
  return plan;
}

function drawFault(chance: Chance, ttlMs: number, targets: FaultTargets): Omit<Fault, 'atMs'> {
  const kind = drawKind(chance, targets);
  const target = drawTarget(chance, kind, targets);
  const isLong =
    chance.between(1, LONG_ONE_IN) === 1 && targets.cells.some((cell) => target.startsWith(cell));
  const forMs = isLong
    ? ttlMs + chance.between(LONG_BEYOND_TTL_MS.least, LONG_BEYOND_TTL_MS.most)
    : chance.between(SHORT_MS.least, SHORT_MS.most);
  return { kind, target, forMs: kind === 'container-kill' ? 0 : forMs, amount: chance.between(50, 500) };
}

function drawKind(chance: Chance, { hasEngine }: FaultTargets): FaultKind {
  const weights: [FaultKind, number][] = [
    ['kill', 30],
    ['pause', 18],
    ['cut', 10],
    ['loss', 6],
    ['loss-up', 6],
    ['loss-down', 6],
    ['delay', 8],
    ['redis-kill', 6],
    ['redis-pause', 6],
    ['engine-kill', hasEngine ? 2 : 0],
    ['engine-stop', hasEngine ? 2 : 0],
    ['container-kill', hasEngine ? 8 : 0],
  ];
  let left = chance.between(
    1,
    weights.reduce((sum, [, weight]) => sum + weight, 0),
  );
  for (const [kind, weight] of weights) {
    left -= weight;
    if (left <= 0) return kind;
  }
  return 'kill';
}

function drawTarget(chance: Chance, kind: FaultKind, { programs, links, cells }: FaultTargets): string {
  switch (kind) {
    case 'kill':
    case 'pause':
      return chance.oneOf(programs);
    case 'redis-kill':
    case 'redis-pause':
      return 'redis';
    case 'engine-kill':
    case 'engine-stop':
      return 'engine';
    case 'container-kill':
      return chance.oneOf(cells);
    case 'cut':
    case 'loss':
    case 'loss-up':
    case 'loss-down':
    case 'delay':
      return chance.oneOf(links);
  }
}
