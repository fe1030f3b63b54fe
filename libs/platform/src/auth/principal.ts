import type { Scope } from './scopes.js';

/** Who makes a request, as its token says. */
export interface Principal {
  subject: string;
  scopes: readonly Scope[];
  /** Set in the token of a cell agent: the only cell it speaks for. */
  cellId?: string;
  /** When set, the only domains the token is meant for. Carried here; routes decide what follows from it. */
  domains?: readonly string[];
}
