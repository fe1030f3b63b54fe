import { type Principal, visibleTo } from '#rivera/platform';
import { type Page, type PageRequest, positionAfter, type Stored } from '#rivera/store';

/** Items a list answers with when the request names no `limit`. */
export const DEFAULT_PAGE = 1_000;
/** Records read at once when some may not match, however few are still wanted: most may not. */
const LEAST_READ = 500;

/** Which records a list shows; undefined: all of them, whatever they are. */
export function matcherOf<R extends { domain: string }>(
  query: { isFiltering(): boolean; matches(record: R): boolean },
  user: Principal,
): ((record: R) => boolean) | undefined {
  if (!query.isFiltering() && user.domains === undefined) return undefined;
  return (record) => query.matches(record) && visibleTo(user, record.domain);
}

/**
 * One answer of a filtered list. Pages of the store are read until enough items match, so that a page is never empty
 * while there are matches further on. Without a filter no record is parsed.
 */
export async function filteredPage<R extends object>(
  read: (page: PageRequest) => Promise<Page<Stored<R>>>,
  { after, limit = DEFAULT_PAGE }: { after?: string; limit?: number },
  matches?: (record: R) => boolean,
): Promise<Page<Stored<R>>> {
  if (matches === undefined) return read({ after, limit });
  const items: Stored<R>[] = [];
  let next = after;
  do {
    const wanted = limit - items.length;
    const page = await read({ after: next, limit: Math.max(wanted, LEAST_READ) });
    const fit = page.items.filter(({ record }) => matches(record));
    items.push(...fit.slice(0, wanted));
    const last = fit.length < wanted ? undefined : fit[wanted - 1];
    next = last === undefined || last === page.items.at(-1) ? page.next : positionAfter(last);
  } while (next !== undefined && items.length < limit);
  return next === undefined ? { items } : { items, next };
}
