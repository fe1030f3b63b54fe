import { ArrayMaxSize, IsArray } from 'class-validator';
import type { FieldError } from './errors.js';
import { LIMITS } from './validation/limits.js';
import { Optional } from './validation/rule.js';
import { IsFlag, IsInteger } from './validation/rules.js';

/** Records of one request at most. */
export const MAX_IMPORTED = 500;

/** Body of `POST /v1/admin/imports`: what is to be imported, and into what. */
export class ImportRequest {
  /** `schema` of the export's header. */
  @IsInteger({ min: 1 })
  schema: number;

  /** `lastEvent` of the export's header. */
  @IsInteger({ min: 0 })
  lastEvent: number;

  /** Into a store that has records already, which are kept. */
  @Optional()
  @IsFlag()
  merge?: boolean;
}

/** Body of `POST /v1/admin/imports/records`. */
export class ImportRecordsRequest {
  /** `parse` allows this many values here; each record is then held to the usual limit by itself. */
  static readonly maxJsonValues = LIMITS.jsonBulkValues;

  /** `schema` of the export's header. */
  @IsInteger({ min: 1 })
  schema: number;

  /** Lines of an export, without its first and its last. */
  @IsArray() @ArrayMaxSize(MAX_IMPORTED) records: unknown[];
}

/** A record that does not follow the rules; nothing of it was written. */
export interface RefusedRecord {
  /** Where it was among the records of the request, from 0. */
  position: number;
  message: string;
  fields?: FieldError[];
}

/** Answer of `POST /v1/admin/imports/records`. */
export interface ImportResult {
  created: number;
  /** What was there already under their names was left as it is. */
  kept: number;
  refused: RefusedRecord[];
}
