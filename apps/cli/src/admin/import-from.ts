import type { RiveraClient } from '#rivera/client';
import {
  type ExportedLine,
  type ExportHeader,
  ExportReader,
  MAX_IMPORTED,
  type RefusedRecord,
} from '#rivera/models';

/** What came of an import. */
export interface Imported {
  created: number;
  kept: number;
  refused: (Pick<RefusedRecord, 'message' | 'fields'> & { line: number })[];
}

interface ImportOptions {
  merge: boolean;
  signal: AbortSignal;
  /** Told of what has been done so far, also when the rest fails. */
  progress: Imported;
}

/** Of one request; records may be large. */
const BATCH_CHARACTERS = 1_000_000;

/** Reads all of it once and writes nothing. Errors: `invalid-request` when it is not whole. */
export async function checkExport(lines: AsyncIterable<string>): Promise<void> {
  const reader = new ExportReader(lines);
  await reader.header();
  const records = reader.records();
  while (!(await records.next()).done);
}

/** Writes it into the store, some records at a time. Errors: those of the API, and `invalid-request` of `ExportReader`. */
export async function importFrom(
  client: RiveraClient,
  lines: AsyncIterable<string>,
  { merge, signal, progress }: ImportOptions,
): Promise<void> {
  const reader = new ExportReader(lines);
  const header = await reader.header();
  const { schema, lastEvent } = header;
  await client.beginImport({ schema, lastEvent, merge }, { signal });
  for await (const batch of batches(reader.records()))
    await send(client, header, batch, { signal, progress });
}

async function send(
  client: RiveraClient,
  { schema }: ExportHeader,
  batch: ExportedLine[],
  { signal, progress }: Pick<ImportOptions, 'signal' | 'progress'>,
): Promise<void> {
  const records = batch.map(({ record }) => record ?? null);
  const { created, kept, refused } = await client.importRecords({ schema, records }, { signal });
  progress.created += created;
  progress.kept += kept;
  for (const { position, message, fields } of refused) {
    progress.refused.push({ line: batch[position]!.line, message, fields });
  }
}

/** An LRP and its instances travel together, unless they are very many. */
async function* batches(lines: AsyncIterable<ExportedLine>): AsyncGenerator<ExportedLine[]> {
  let batch: ExportedLine[] = [];
  let size = 0;
  for await (const line of lines) {
    const isFull = batch.length >= MAX_IMPORTED || size >= BATCH_CHARACTERS;
    const isNearlyFull = batch.length >= MAX_IMPORTED / 2 || size >= BATCH_CHARACTERS / 2;
    if (isFull || (isNearlyFull && line.kind !== 'actual')) {
      yield batch;
      [batch, size] = [[], 0];
    }
    batch.push(line);
    size += line.text.length;
  }
  if (batch.length > 0) yield batch;
}
