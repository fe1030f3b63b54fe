import type { Page, PageRequest } from '#rivera/store';

const PAGE = 5_000;

/** Every record that matches, page by page: lists of the wire API are one message. */
export async function everything<T>(
  read: (page: PageRequest) => Promise<Page<T>>,
  matches: (record: T) => boolean,
): Promise<T[]> {
  const found: T[] = [];
  let after: string | undefined;
  do {
    const page = await read({ after, limit: PAGE });
    for (const record of page.items) if (matches(record)) found.push(record);
    after = page.next;
  } while (after !== undefined);
  return found;
}
