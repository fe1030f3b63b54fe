import { Injectable } from '@nestjs/common';
import type { SessionRequest } from '#rivera/models';
import { type Principal, RiveraLogger } from '#rivera/platform';
import type { PlacedInstance } from '../sessions/runs.js';
import type { LastWord } from './relay.js';

export interface Visit {
  user: Principal;
  instance: PlacedInstance;
  wanted: SessionRequest;
  traceId: string;
}

/**
 * The audit log of those who enter containers: `began-session` and `ended-session` (session `audit`), with who, where, the
 * command or path, and how it ended. Never an environment variable, input or output.
 */
@Injectable()
export class ExecAudit {
  private readonly audit: RiveraLogger;

  constructor(logger: RiveraLogger) {
    this.audit = logger.session('audit');
  }

  began({ user, instance, wanted, traceId }: Visit): { ended(last: LastWord | undefined): void } {
    const { processGuid, index, instanceGuid, cellId } = instance;
    const entry = {
      subject: user.subject,
      scopes: user.scopes,
      domains: user.domains,
      kind: wanted.kind,
      params: { processGuid, index },
      instanceGuid,
      cellId,
      ...subjectOf(wanted),
      traceId,
    };
    const startedAt = performance.now();
    this.audit.log('began-session', entry);
    return {
      ended: (last) =>
        this.audit.log('ended-session', {
          ...entry,
          durationMs: performance.now() - startedAt,
          ...resultOf(last),
        }),
    };
  }
}

function subjectOf(wanted: SessionRequest): { command?: string[]; user?: string; path?: string } {
  if (wanted.kind === 'exec') {
    const { path, args = [], user } = wanted.exec;
    return { command: [path, ...args], ...(user !== undefined && { user }) };
  }
  return 'path' in wanted ? { path: wanted.path } : {};
}

function resultOf(last: LastWord | undefined): object {
  if (last === undefined) return { result: 'left' };
  if (last.type === 'error') return { result: 'failed', code: last.code };
  return { result: 'done', ...(last.status !== undefined && { exitStatus: last.status }) };
}
