import type { RiveraLogger } from '../logging/rivera-logger.js';
import type { HttpRequest } from './http-types.js';

/** What the audit needs to know of a finished call. */
export interface FinishedCall {
  request: HttpRequest;
  /** The pattern, e.g. `/v1/tasks/:taskGuid`; undefined when no route matched. */
  route?: string;
  status: number;
  durationMs: number;
}

const MUTATING: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/**
 * The audit log: one entry `audited-call` (session `audit`) for each call that may change something, allowed or refused:
 * who, what, with which outcome. Never a body, a query or a token.
 */
export function auditLog(logger: RiveraLogger): (call: FinishedCall) => void {
  const audit = logger.session('audit');
  return ({ request, route, status, durationMs }) => {
    const { method, params, user, id: traceId, refusedAs: code } = request;
    // Whoever gets a WebSocket does something with it, of which its route knows more.
    if (!MUTATING.has(method) && request.headers['upgrade'] === undefined) return;
    const entry = {
      subject: user?.subject,
      scopes: user?.scopes,
      cellId: user?.cellId,
      domains: user?.domains,
      method,
      route,
      params: route === undefined ? undefined : params,
      status,
      code,
      traceId,
      durationMs,
    };
    // A cell agent reports all the time; only when it reaches for what is not its own does an auditor care.
    const isRoutine = user?.cellId !== undefined && code !== 'forbidden';
    if (isRoutine) audit.debug('audited-call', entry);
    else audit.log('audited-call', entry);
  };
}
