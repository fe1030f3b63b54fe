import { type FieldError, type ImportResult, PORTABLE_KINDS, type RefusedRecord } from '#rivera/models';
import { type JsonSchema, listOf } from './json-schema.js';
import { count, maybe, record, text } from './record.js';

/** What travels in exports and imports. */
export function importSchemas(): Record<string, JsonSchema> {
  const fields = listOf(record<FieldError>({ field: text, rule: text, message: text }));
  const anything: JsonSchema = { type: 'object' };
  return {
    PortableRecord: record<{ kind: string; record: object; run?: object }>(
      {
        kind: { type: 'string', enum: PORTABLE_KINDS },
        record: anything,
        run: maybe({ ...anything, description: 'The other half of a desired LRP.' }),
      },
      'A line of an export; docs/operations/backup.md says what is in it.',
    ),
    ImportResult: record<ImportResult>({
      created: count,
      kept: { ...count, description: 'What was there under the names of these was left as it is.' },
      refused: listOf(
        record<RefusedRecord>({
          position: { ...count, description: 'Among the records of the request, from 0.' },
          message: text,
          fields: maybe(fields),
        }),
      ),
    }),
  };
}
