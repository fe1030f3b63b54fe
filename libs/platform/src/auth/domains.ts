import { RiveraError } from '#rivera/models';

import type { Principal } from './principal.js';

/** Whether a record of this domain may appear in the lists and event streams of this principal. */
export function visibleTo({ domains }: Pick<Principal, 'domains'>, domain: string): boolean {
  return domains === undefined || domains.includes(domain);
}

/**
 * For a request that names a domain, or a record that belongs to one.
 *
 * @throws RiveraError `forbidden` when the token is limited to other domains
 */
export function requireDomain(principal: Principal, domain: string): void {
  if (visibleTo(principal, domain)) return;
  const allowed = (principal.domains ?? []).map((name) => JSON.stringify(name)).join(', ') || 'none';
  throw new RiveraError(
    'forbidden',
    `The token of "${principal.subject}" may not touch the domain ${JSON.stringify(domain)}; its claim "domains" allows: ${allowed}.`,
  );
}
