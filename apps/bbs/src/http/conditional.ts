import { type ModificationTag, RiveraError } from '#rivera/models';

/** The modification tag of an `If-Match` header, which is the version of the record in quotes; undefined = any. Errors: `invalid-request`. */
export function parseIfMatch(header: string | undefined): ModificationTag | undefined {
  if (header === undefined || header === '*') return undefined;
  const [, epoch, index] = /^"([^":]+):(\d+)"$/.exec(header) ?? [];
  if (epoch === undefined || index === undefined) {
    throw new RiveraError(
      'invalid-request',
      'If-Match must be the ETag of the record, as GET answered it, or *.',
      {
        fields: [{ field: 'If-Match', rule: 'etag', message: 'must be "<epoch>:<index>" or *' }],
      },
    );
  }
  return { epoch, index: Number(index) };
}

const KEY = /^[\x21-\x7e]{1,255}$/;

/** The `Idempotency-Key` header. Errors: `invalid-request`. */
export function parseIdempotencyKey(header: string | undefined): { idempotencyKey?: string } {
  if (header === undefined) return {};
  if (KEY.test(header)) return { idempotencyKey: header };
  throw new RiveraError('invalid-request', 'Idempotency-Key must be 1 to 255 visible ASCII characters.', {
    fields: [
      {
        field: 'Idempotency-Key',
        rule: 'idempotencyKey',
        message: 'must be 1 to 255 visible ASCII characters',
      },
    ],
  });
}
