import { closeSync, createReadStream, openSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { inputOf, lineOf } from '#rivera/auction';
import type { SimulationInput } from '#rivera/auction';
import type { CliContext } from '../cli-context.js';
import { UsageError } from '../errors.js';
import { reasonOf } from '../read-json.js';
import { asUsageError } from './choose-world.js';
import { checkedOptions } from './policy.js';
import type { Policy } from './policy.js';

/** The first line of a recording; all others are inputs (docs/simulation.md). */
interface Heading {
  recording: 1;
  title: string;
  options: Policy['options'];
}

export interface Recording {
  title: string;
  /** Under which it was recorded. */
  options: Policy['options'];
  inputs: SimulationInput[];
}

/** Lines are written in pieces of about this many characters. */
const PIECE = 1 << 20;

/** Passes inputs on and writes each to the file. */
export function* recordTo(
  file: string,
  { title, policy, cwd }: { title: string; policy: Policy; cwd: string },
  inputs: Iterable<SimulationInput>,
): Generator<SimulationInput> {
  const heading: Heading = { recording: 1, title, options: policy.options };
  const descriptor = openForWriting(resolve(cwd, file));
  try {
    let piece = `${JSON.stringify(heading)}\n`;
    for (const input of inputs) {
      piece += `${lineOf(input)}\n`;
      if (piece.length >= PIECE) {
        writeSync(descriptor, piece);
        piece = '';
      }
      yield input;
    }
    writeSync(descriptor, piece);
  } finally {
    closeSync(descriptor);
  }
}

/** @throws UsageError that names the line, the field and the rule when the file is no recording. */
export async function readRecording(file: string, { cwd }: CliContext): Promise<Recording> {
  const lines = createInterface({ input: createReadStream(resolve(cwd, file)), crlfDelay: Infinity });
  const inputs: SimulationInput[] = [];
  let heading: Heading | undefined;
  let number = 0;
  try {
    for await (const line of lines) {
      number += 1;
      if (heading === undefined) heading = headingOf(line);
      else if (line !== '') inputs.push(inputOf(line, number));
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    if (isSystemError(error)) throw new UsageError(`${file} cannot be read: ${error.message}.`);
    throw asUsageError(`${file} is no recording; line ${number}`, error);
  }
  if (heading === undefined) throw new UsageError(`${file} is no recording: it is empty.`);
  return { title: heading.title, options: heading.options, inputs };
}

function headingOf(line: string): Heading {
  let heading: Partial<Heading> | null = null;
  try {
    heading = JSON.parse(line) as Partial<Heading> | null;
  } catch {
    // Said below, as of any other first line.
  }
  const { recording, title, options } = heading ?? {};
  if (recording !== 1 || typeof title !== 'string' || typeof options !== 'object') {
    throw new UsageError(
      'This is no recording: its first line must be {"recording":1,"title":…,"options":{…}}.',
    );
  }
  return { recording, title, options: checkedOptions({ ...options }) };
}

function openForWriting(path: string): number {
  try {
    return openSync(path, 'w');
  } catch (error) {
    throw new UsageError(`${path} cannot be written: ${reasonOf(error)}.`);
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
