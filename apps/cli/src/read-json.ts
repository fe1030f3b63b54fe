import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import type { CliContext } from './cli-context.js';
import { UsageError } from './errors.js';

/** What a JSON file holds; `-` is standard input. Whether it makes sense is for the caller to find out. */
export async function readJson(file: string, { cwd, stdin }: CliContext): Promise<unknown> {
  const name = file === '-' ? 'Standard input' : file;
  let content: string;
  try {
    content = file === '-' ? await text(stdin) : await readFile(resolve(cwd, file), 'utf8');
  } catch (error) {
    throw new UsageError(`${name} cannot be read: ${reasonOf(error)}.`);
  }
  try {
    return JSON.parse(content);
  } catch (error) {
    throw new UsageError(`${name} is not JSON: ${reasonOf(error)}.`);
  }
}

/** The sentence of an error. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
