import { notFound } from '#rivera/models';
import { type Principal, visibleTo } from '#rivera/platform';

/**
 * Ends a request for a record of a domain that the token may not touch as if the record were not there: a stranger does
 * not learn that its guid exists. A record that is not there is the rule's own business.
 */
export function requireVisible(
  user: Principal,
  record: { domain: string } | undefined,
  what: string,
  id: string,
): void {
  if (record !== undefined && !visibleTo(user, record.domain)) throw notFound(what, id);
}
