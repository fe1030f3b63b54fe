/** One figure. `case` is what was measured, `metric` which figure of it: `p50_ms`, `per_second`, … */
export interface Figure {
  case: string;
  metric: string;
  value: number;
  unit: string;
}

/** What a benchmark, `test/bench/<name>/<name>.bench.ts`, exports as `bench`. */
export type Bench = (context: BenchContext) => Promise<void>;

export interface BenchContext {
  /** Only show that it works, in seconds; the figures mean nothing. */
  readonly isSmoke: boolean;
  /** Whether cases that begin with these words were asked for; a benchmark need not ask. */
  isWanted(group: string): boolean;
  report(figure: Figure): void;
  /** For people who wait. Never part of the result. */
  progress(text: string): void;
}

/** The value that a share of all is not above (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** Reports the middle and the slow end of some durations. */
export function reportLatency(context: BenchContext, name: string, durationsMs: readonly number[]): void {
  for (const [metric, share] of [
    ['p50_ms', 0.5],
    ['p99_ms', 0.99],
  ] as const) {
    context.report({ case: name, metric, value: percentile(durationsMs, share), unit: 'ms' });
  }
}
