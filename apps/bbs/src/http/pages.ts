import type { Page } from '#rivera/store';

/** Items a list answers with when the request names no `limit`. */
export const DEFAULT_PAGE = 1_000;
/** Records read at once, however few are still wanted: most may not match. */
const LEAST_READ = 500;

/**
 * One answer of a filtered list. Pages of the store are read until enough items match, so that a page is never empty
 * while there are matches further on.
 */
export async function filteredPage<T>(
  read: (page: { after?: string; limit: number }) => Promise<Page<T>>,
  { after, limit = DEFAULT_PAGE }: { after?: string; limit?: number },
  matches: (item: T) => boolean,
): Promise<Page<T>> {
  const items: T[] = [];
  let next = after;
  do {
    const wanted = limit - items.length;
    let page = await read({ after: next, limit: Math.max(wanted, LEAST_READ) });
    const last = positionOfMatch(page.items, matches, wanted);
    // Read again up to the last item that fits, because only the store can say where to go on after it.
    if (last !== undefined && last < page.items.length - 1)
      page = await read({ after: next, limit: last + 1 });
    items.push(...page.items.filter(matches));
    next = page.next;
  } while (next !== undefined && items.length < limit);
  return next === undefined ? { items } : { items, next };
}

/** Where the `count`th match is, from 0; undefined when there are fewer. */
function positionOfMatch<T>(items: T[], matches: (item: T) => boolean, count: number): number | undefined {
  let seen = 0;
  const position = items.findIndex((item) => matches(item) && ++seen === count);
  return position === -1 ? undefined : position;
}
