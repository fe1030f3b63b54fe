import type { Page, PageRequest, Stored } from '#rivera/store';

const PAGE = 10_000;

/**
 * Every record that matches, page by page: lists of the wire API are one message. Without a filter no record is looked
 * at.
 */
export async function everything<R extends object>(
  read: (page: PageRequest) => Promise<Page<Stored<R>>>,
  matches?: (record: R) => boolean,
): Promise<Stored<R>[]> {
  const found: Stored<R>[] = [];
  let after: string | undefined;
  do {
    const page = await read({ after, limit: PAGE });
    for (const stored of page.items) if (matches === undefined || matches(stored.record)) found.push(stored);
    after = page.next;
  } while (after !== undefined);
  return found;
}
