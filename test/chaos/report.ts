import { percentile } from '../bench/bench.js';
import type { StormResult } from './storm.js';

const SHOWN_VIOLATIONS = 50;

interface Row {
  kind: string;
  count: number;
  p50: number;
  p99: number;
  max: number;
}

/** Prints what happened: as tables for people, or as one JSON object. */
export function report(result: StormResult, asJson: boolean): void {
  const rows = rowsOf(result);
  if (asJson) {
    const { recoveries: _, ...rest } = result;
    console.log(JSON.stringify({ ...rest, recoveryMs: rows }));
    return;
  }
  console.log(`seed ${result.seed}: ${result.faults} faults, ${result.violations.length} violations`);
  console.log(
    `${result.calls} calls (${result.unanswered} without an answer, ${result.refused} refused), ${result.drains} drains, ` +
      `${result.events} events, ${result.containers} containers, ${result.tasks} tasks`,
  );
  for (const [reason, count] of Object.entries(result.taskFailures)) {
    console.log(`  ${String(count).padStart(6)} tasks: ${reason === 'none' ? 'succeeded' : reason}`);
  }
  console.log('\n| fault | count | p50 ms | p99 ms | max ms |\n| --- | ---: | ---: | ---: | ---: |');
  for (const { kind, count, p50, p99, max } of rows) {
    console.log(`| ${kind} | ${count} | ${p50} | ${p99} | ${max} |`);
  }
  for (const violation of result.violations.slice(0, SHOWN_VIOLATIONS)) console.log(`VIOLATION ${violation}`);
}

/** Recovery by kind of fault and of target, and how long it took until everything was as desired. */
function rowsOf({ recoveries, convergenceMs }: StormResult): Row[] {
  const kinds = new Map<string, number[]>();
  for (const { kind, target, recoveryMs } of recoveries) {
    const name = nameOf(kind, target);
    kinds.set(name, [...(kinds.get(name) ?? []), recoveryMs]);
  }
  const rows = [...kinds]
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([kind, values]) => rowOf(kind, values));
  return convergenceMs.length === 0 ? rows : [...rows, rowOf('all is as desired', convergenceMs)];
}

/** `kill bbs`, `loss-up cell→bbs`; the target only where it says more than the kind. */
function nameOf(kind: string, target: string): string {
  if (target === 'redis' || target === 'engine' || kind === 'container-kill') return kind;
  return `${kind} ${target.replaceAll(/-\d+/g, '')}`;
}

function rowOf(kind: string, values: readonly number[]): Row {
  const at = (share: number): number => Math.round(percentile(values, share));
  return { kind, count: values.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}
