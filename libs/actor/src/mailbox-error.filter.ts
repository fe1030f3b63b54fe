import { Catch } from '@nestjs/common';
import type { RpcExceptionFilter } from '@nestjs/common';
import { throwError } from 'rxjs';
import type { Observable } from 'rxjs';

/**
 * Lets errors of handlers, guards and pipes reach the mailbox as they are. Put `@UseFilters(MailboxErrorFilter)` on every
 * actor class: Nest's default filter replaces an error by "Internal server error", and then neither a dead letter nor an
 * asker could say what went wrong, and `retryable` would be lost.
 */
@Catch()
export class MailboxErrorFilter implements RpcExceptionFilter {
  catch(error: unknown): Observable<never> {
    return throwError(() => error);
  }
}
