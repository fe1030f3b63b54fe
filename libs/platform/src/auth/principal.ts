import type { Scope } from './scopes.js';

/** Who makes a request, as its token says. */
export interface Principal {
  subject: string;
  scopes: readonly Scope[];
  /** Set in the token of a cell agent: the only cell it speaks for. */
  cellId?: string;
  /** When set, the only domains the token may touch; see `requireDomain` and `visibleTo`. */
  domains?: readonly string[];
  /** When the token stops being valid, in milliseconds since the Unix epoch. */
  expiresAt?: number;
}

/** A principal in one request. */
export interface Caller extends Principal {
  /** What is written for the request is written under it. */
  traceId?: string;
}
