import { Inject, Injectable } from '@nestjs/common';
import {
  type ImportRecordsRequest,
  type ImportRequest,
  type ImportResult,
  parsePortable,
  type PortableRecord,
  type RefusedRecord,
  RiveraError,
} from '#rivera/models';
import { type Caller, Clock, RiveraLogger } from '#rivera/platform';
import { Backup, Store } from '#rivera/store';
import { PRESENCE_TTL_MS } from '../cells/cell-agent.controller.js';

/** Takes in what an export gave out. */
@Injectable()
export class StoreImport {
  constructor(
    private readonly backup: Backup,
    private readonly store: Store,
    private readonly clock: Clock,
    private readonly logger: RiveraLogger,
    @Inject(PRESENCE_TTL_MS) private readonly presenceTtlMs: number,
  ) {}

  /**
   * Returns how many records are there already.
   *
   * Errors: `unsupported` (of a schema that this version does not know), `precondition-failed` (there are some, and it is
   * no merge).
   */
  async begin({ schema, lastEvent, merge = false }: ImportRequest): Promise<number> {
    this.requireKnown(schema);
    const found = await this.backup.countRecords();
    if (found > 0 && !merge) {
      throw new RiveraError(
        'precondition-failed',
        `This store is not empty: it has ${found} records of LRPs, instances, tasks and deployments. Import into an empty ` +
          'one, or merge: what is there is kept, and only what is missing is added.',
      );
    }
    if (found === 0) await this.backup.skipEvents(lastEvent);
    this.logger.log('began-import', { schema, lastEvent, merge, found });
    return found;
  }

  /** Errors: `unsupported`. */
  async add({ schema, records }: ImportRecordsRequest, { traceId }: Caller): Promise<ImportResult> {
    this.requireKnown(schema);
    const refused: RefusedRecord[] = [];
    const fine: PortableRecord[] = [];
    for (const [position, input] of records.entries()) {
      try {
        fine.push(parsePortable(this.store.schema.upgradePortable(input, schema)));
      } catch (error) {
        if (!(error instanceof RiveraError)) throw error;
        const { message, details } = error;
        refused.push({ position, message, ...(details.fields && { fields: details.fields }) });
      }
    }
    const presenceUntil = this.clock.now() + this.presenceTtlMs;
    const created = await this.backup.restore(fine, presenceUntil, { traceId });
    return { created, kept: fine.length - created, refused };
  }

  private requireKnown(schema: number): void {
    const { version } = this.store.schema;
    if (schema <= version) return;
    throw new RiveraError(
      'unsupported',
      `This export has records of schema ${schema}, but this version of Rivera knows them up to ${version}. ` +
        'Import it with the version that made it, or a later one.',
    );
  }
}
