import { type BenchContext, percentile } from '../bench.js';
import { cpuUs } from '../cpu.js';

/** What some calls cost. */
export interface Cost {
  opsPerSecond: number;
  /** Of the programs that are measured, for one operation. */
  cpuUsPerOp: number;
  /** Of each call. */
  durationsMs: number[];
}

export interface MeasureOptions {
  /** Calls under way at once. */
  callers: number;
  /** The programs that are measured. */
  pids: readonly number[];
  /** What one call counts for. */
  each?: number;
}

/** Many callers at once. */
export async function measure(
  calls: number,
  call: (position: number) => Promise<unknown>,
  { callers, pids, each = 1 }: MeasureOptions,
): Promise<Cost> {
  const durationsMs: number[] = [];
  const cpu = await cpuUs(pids);
  const began = performance.now();
  await forAll(calls, callers, async (position) => {
    const start = performance.now();
    await call(position);
    durationsMs.push(performance.now() - start);
  });
  const seconds = (performance.now() - began) / 1_000;
  const operations = durationsMs.length * each;
  const used = (await cpuUs(pids)) - cpu;
  return { opsPerSecond: operations / seconds, cpuUsPerOp: used / operations, durationsMs };
}

export function reportCost(context: BenchContext, name: string, cost: Cost): void {
  const { opsPerSecond, cpuUsPerOp, durationsMs } = cost;
  context.report({ case: name, metric: 'ops_per_second', value: opsPerSecond, unit: '1/s' });
  context.report({ case: name, metric: 'cpu_us_per_op', value: cpuUsPerOp, unit: 'us' });
  context.report({ case: name, metric: 'p50_ms', value: percentile(durationsMs, 0.5), unit: 'ms' });
  context.report({ case: name, metric: 'p99_ms', value: percentile(durationsMs, 0.99), unit: 'ms' });
}

export async function forAll(
  calls: number,
  callers: number,
  call: (position: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const caller = async () => {
    for (let position = next++; position < calls; position = next++) await call(position);
  };
  await Promise.all(Array.from({ length: callers }, caller));
}
