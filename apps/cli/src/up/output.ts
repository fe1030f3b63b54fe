import { appendFileSync, closeSync, openSync, readSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** One line for the user. */
export type Report = (line: string) => void;

/** To the terminal only. */
export function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Writes each line to the launcher's log, so that `up --detach` and `down` can follow it, and to the terminal. */
export function reportTo(logFile: string, terminal: NodeJS.WriteStream | undefined): Report {
  // The terminal may be closed while the cluster goes on, or is being stopped.
  terminal?.on('error', () => undefined);
  return (line) => {
    appendFileSync(logFile, `${line}\n`);
    terminal?.write(`${line}\n`);
  };
}

export interface Following {
  file: string;
  /** Byte offset to start from. */
  from: number;
  report: Report;
  /** Following ends, after what is there was reported, once this is true. */
  isOver: () => boolean;
}

/** Reports the lines that others append to a file. */
export async function follow({ file, from, report, isOver }: Following): Promise<void> {
  let offset = from;
  let rest = '';
  for (;;) {
    const wasOver = isOver();
    const text = rest + readFrom(file, offset);
    offset += Buffer.byteLength(text) - Buffer.byteLength(rest);
    const lines = text.split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(report);
    if (wasOver) return;
    await sleep(100);
  }
}

export function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** The last lines of a log; empty when there is none. */
export function tailOf(file: string, lines: number): string[] {
  const from = Math.max(0, sizeOf(file) - 64 * 1024);
  const text = readFrom(file, from).trimEnd();
  return text === '' ? [] : text.split('\n').slice(-lines);
}

function readFrom(file: string, offset: number): string {
  const length = sizeOf(file) - offset;
  if (length <= 0) return '';
  const handle = openSync(file, 'r');
  try {
    const buffer = Buffer.alloc(length);
    return buffer.toString('utf8', 0, readSync(handle, buffer, 0, length, offset));
  } finally {
    closeSync(handle);
  }
}
