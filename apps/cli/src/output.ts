import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { CliContext } from './cli-context.js';
import { formatTable } from './table.js';
import type { Column } from './table.js';

export interface Listing<T> {
  items: AsyncIterable<T> | Iterable<T>;
  columns: readonly Column<T>[];
  json?: boolean;
}

/** A list as a table, or as one JSON object a line as the records arrive. */
export async function printList<T>(
  { stdout }: CliContext,
  { items, columns, json }: Listing<T>,
): Promise<void> {
  const rows: T[] = [];
  for await (const item of items) {
    if (json) await printJson(stdout, item);
    else rows.push(item);
  }
  if (!json) await print(stdout, formatTable(rows, columns));
}

export async function printJson(stream: Writable, value: unknown): Promise<void> {
  await print(stream, `${JSON.stringify(value)}\n`);
}

/** Waits while the reader of the other end is slow. */
export async function print(stream: Writable, text: string): Promise<void> {
  if (!stream.write(text)) await once(stream, 'drain');
}

/** How long ago, in its largest unit: `12s`, `3m`, `5h`, `2d`. */
export function ago(then: number, now: number): string {
  const seconds = Math.max(0, Math.floor((now - then) / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
