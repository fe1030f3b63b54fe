import type { Page } from '#rivera/store';

/** Items a list answers with when the request names no `limit`. */
export const DEFAULT_PAGE = 1_000;

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
    const page = await read({ after: next, limit: limit - items.length });
    items.push(...page.items.filter(matches));
    next = page.next;
  } while (next !== undefined && items.length < limit);
  return next === undefined ? { items } : { items, next };
}
