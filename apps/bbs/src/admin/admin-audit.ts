import { Injectable } from '@nestjs/common';
import type { RecordCounts } from '#rivera/models';
import { type Principal, RiveraLogger } from '#rivera/platform';

/**
 * The audit log of those who read everything: `began-export` and `ended-export` (session `audit`). Imports are calls that
 * change something, which are in the audit log anyway.
 */
@Injectable()
export class AdminAudit {
  private readonly audit: RiveraLogger;

  constructor(logger: RiveraLogger) {
    this.audit = logger.session('audit');
  }

  beganExport(
    { subject, scopes }: Principal,
    epoch: string,
    traceId: string,
  ): { ended(counts: RecordCounts, isWhole: boolean): void } {
    const entry = { subject, scopes, epoch, traceId };
    this.audit.log('began-export', entry);
    return { ended: (counts, isWhole) => this.audit.log('ended-export', { ...entry, counts, isWhole }) };
  }
}
