import { existsSync, readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Bench, Figure } from './bench.js';

const HERE = new URL('.', import.meta.url);
const USAGE = 'usage: npm run bench -- <name> [--json] [--smoke] [--only <beginning of cases>]';

/**
 * Runs one benchmark. With `--json` each figure is one line `{"bench","case","metric","value","unit"}` on stdout, and
 * nothing else is; progress goes to stderr.
 */
export async function runBench(args: string[]): Promise<void> {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: { json: { type: 'boolean' }, smoke: { type: 'boolean' }, only: { type: 'string' } },
  });
  const [name = ''] = positionals;
  const file = new URL(`${name}/${name}.bench.ts`, HERE);
  if (positionals.length !== 1 || !existsSync(file)) {
    console.error(`${USAGE}\nBenchmarks: ${names().join(', ')}`);
    process.exitCode = 1;
    return;
  }
  const { bench } = (await import(file.href)) as { bench: Bench };
  await bench({
    isSmoke: values.smoke ?? false,
    isWanted: (group) => values.only === undefined || group.startsWith(values.only),
    report: (figure) => console.log(values.json ? jsonLine(name, figure) : textLine(name, figure)),
    progress: (text) => console.error(text),
  });
}

function names(): string[] {
  return readdirSync(HERE, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}

function jsonLine(bench: string, { case: name, metric, value, unit }: Figure): string {
  return JSON.stringify({ bench, case: name, metric, value: rounded(value), unit });
}

function textLine(bench: string, { case: name, metric, value, unit }: Figure): string {
  return `${bench}  ${name.padEnd(40)} ${metric.padEnd(12)} ${String(rounded(value)).padStart(12)} ${unit}`;
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
