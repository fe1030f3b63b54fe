import { type FieldError, RiveraError } from '#rivera/models';
import { type ArgumentMetadata, ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';

import { assertPlainJson } from './assert-plain-json.js';
import { toFieldErrors } from './to-field-errors.js';

/** More would only repeat the point, and a hostile body can break a rule a hundred thousand times. */
const MAX_FIELDS = 50;

/** The one way input is validated: everything at once, nothing unknown, nothing deeper than 64 levels. */
class RiveraValidationPipe extends ValidationPipe {
  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.type === 'body' || metadata.type === 'custom') assertPlainJson(value);
    if (metadata.type === 'body' && this.toValidate(metadata)) requireObject(value);
    return (await super.transform(value, metadata)) as unknown;
  }
}

/**
 * Validates arguments against their class: unknown fields are refused, values become instances of the class.
 * Failures are RiveraErrors `invalid-request` that list every broken rule in `details.fields`.
 */
export function createValidationPipe(): ValidationPipe {
  return new RiveraValidationPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    // Nest's default lets a nested value without rules pass unchecked.
    forbidUnknownValues: true,
    stopAtFirstError: false,
    // Values tell lists from maps; they are not repeated to the client.
    validationError: { target: false, value: true },
    exceptionFactory: (errors: ValidationError[]) => invalidRequest(toFieldErrors(errors)),
  });
}

function requireObject(body: unknown): void {
  if (body === undefined) {
    throw new RiveraError('invalid-request', 'The request has no body; send a JSON object.');
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new RiveraError('invalid-request', 'The request body must be a JSON object.');
  }
}

function invalidRequest(fields: FieldError[]): RiveraError {
  const first = fields[0]?.message ?? 'it does not follow the rules';
  const more = fields.length > 1 ? ` (and ${fields.length - 1} more)` : '';
  return new RiveraError('invalid-request', `The request is not valid: ${first}${more}.`, {
    fields: fields.slice(0, MAX_FIELDS),
  });
}
