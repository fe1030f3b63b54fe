import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { RiveraClient } from '#rivera/client';
import { ExportReader, type RecordCounts } from '#rivera/models';
import { print } from '../output.js';

/** Writes an export and checks that it came whole. The records by kind. */
export async function exportTo(
  client: RiveraClient,
  output: Writable,
  signal: AbortSignal,
): Promise<RecordCounts> {
  const counts: Partial<RecordCounts> = {};
  const lines = client.exportStore({ signal });
  const copied = async function* (): AsyncGenerator<string> {
    for await (const line of lines) {
      await print(output, `${line}\n`);
      yield line;
    }
  };
  const reader = new ExportReader(copied());
  await reader.header();
  for await (const { kind } of reader.records()) if (kind) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts as RecordCounts;
}

/** Into a file that is there only when it is whole, and that only its owner can read: it holds secrets. */
export async function exportToFile(
  client: RiveraClient,
  path: string,
  signal: AbortSignal,
): Promise<RecordCounts> {
  const partial = `${path}.partial`;
  const file = createWriteStream(partial, { mode: 0o600 });
  try {
    await once(file, 'open');
    const counts = await exportTo(client, file, signal);
    file.end();
    await finished(file);
    await rename(partial, path);
    return counts;
  } catch (error) {
    file.destroy();
    await rm(partial, { force: true });
    throw error;
  }
}
