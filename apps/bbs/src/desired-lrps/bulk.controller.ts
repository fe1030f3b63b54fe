import { Body, Controller, HttpCode, Post, Res } from '@nestjs/common';
import { ArrayMaxSize, IsArray } from 'class-validator';
import type { FastifyReply } from 'fastify';
import {
  DesiredLRPRequest,
  DesiredLRPUpdate,
  type ErrorCode,
  type FieldError,
  LIMITS,
  parse,
  RiveraError,
} from '#rivera/models';
import { type Caller, CurrentUser, Scopes } from '#rivera/platform';
import type { StoredDefinition } from '#rivera/store';
import { desiredLRPText } from '../http/presenters.js';
import { DesiredLRPs } from './desired-lrps.service.js';

const MAX_OPERATIONS = 1_000;
/** Operations under way at once; they share connections and commits of the same shard queue anyway. */
const PARALLEL = 64;

/** `{ desire: … }`, `{ update: { processGuid, … } }`, `{ remove: processGuid }` or `{ get: processGuid }`. */
type Operation = Record<string, unknown>;

export class BulkRequest {
  /** `parse` allows this many values here; each operation is then held to the usual limit by itself. */
  static readonly maxJsonValues = LIMITS.jsonBulkValues;

  @IsArray() @ArrayMaxSize(MAX_OPERATIONS) operations: unknown[];
}

/** What is answered to an operation that failed. */
interface BulkRefusal {
  ok: false;
  error: { code: ErrorCode; message: string; fields?: FieldError[] };
}

/** Many operations on desired LRPs in one request. Each succeeds or fails by itself. */
@Controller('v1/desired-lrps/bulk')
export class BulkController {
  constructor(private readonly desiredLRPs: DesiredLRPs) {}

  /** Results are in the order of the operations. A store that does not answer ends all of it. */
  @Post()
  @HttpCode(200)
  @Scopes('lrps:read')
  async bulk(
    @Body() { operations }: BulkRequest,
    @CurrentUser() user: Caller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const results = Array.from<string>({ length: operations.length });
    let next = 0;
    const work = async () => {
      for (let position = next++; position < operations.length; position = next++) {
        results[position] = await this.perform(operations[position], user).catch((error: unknown) => {
          next = operations.length;
          throw error;
        });
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
    reply.type('application/json; charset=utf-8');
    return `{"results":[${results.join(',')}]}`;
  }

  /** JSON of `{ ok: true, desiredLRP? }` or of a refusal. */
  private async perform(operation: unknown, user: Caller): Promise<string> {
    try {
      const definition = await this.apply(operation, user);
      return definition === undefined
        ? '{"ok":true}'
        : `{"ok":true,"desiredLRP":${desiredLRPText(definition)}}`;
    } catch (error) {
      if (!(error instanceof RiveraError) || error.code === 'unavailable') throw error;
      const { code, message, details } = error;
      const refusal: BulkRefusal = { ok: false, error: { code, message, fields: details.fields } };
      return JSON.stringify(refusal);
    }
  }

  private async apply(operation: unknown, user: Caller): Promise<StoredDefinition | undefined> {
    const [kind, argument] = only(operation);
    if (kind === 'get') return this.desiredLRPs.get(guid(argument), user);
    if (!user.scopes.includes('lrps:write')) {
      throw new RiveraError('forbidden', `The token of "${user.subject}" lacks the scope "lrps:write".`);
    }
    if (kind === 'desire') return this.desiredLRPs.desire(parse(DesiredLRPRequest, argument), user);
    if (kind === 'remove') {
      await this.desiredLRPs.remove(guid(argument), user);
      return undefined;
    }
    const { processGuid, ...wanted } = argument as Operation;
    return this.desiredLRPs.update(guid(processGuid), parse(DesiredLRPUpdate, wanted), user);
  }
}

const KINDS = ['desire', 'update', 'remove', 'get'];

function only(operation: unknown): [kind: string, argument: unknown] {
  const entries = typeof operation === 'object' && operation !== null ? Object.entries(operation) : [];
  const [entry] = entries;
  const isUpdateOfObject = entry?.[0] !== 'update' || (typeof entry[1] === 'object' && entry[1] !== null);
  if (entry !== undefined && entries.length === 1 && KINDS.includes(entry[0]) && isUpdateOfObject)
    return entry;
  throw new RiveraError(
    'invalid-request',
    'Each operation has exactly one of desire, update, remove and get.',
    {
      fields: [
        { field: 'operations', rule: 'exactlyOne', message: 'must have one of desire, update, remove, get' },
      ],
    },
  );
}

function guid(value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new RiveraError('invalid-request', 'The process guid is missing.', {
    fields: [{ field: 'processGuid', rule: 'isGuid', message: 'must be a process guid' }],
  });
}
