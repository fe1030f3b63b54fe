import type { Page } from '#rivera/store';
import { filteredPage } from './pages.js';

/** A store of the numbers below `count`; notes how much was asked for. */
function numbers(count: number) {
  const reads: number[] = [];
  const read = async ({ after, limit }: { after?: string; limit: number }): Promise<Page<number>> => {
    reads.push(limit);
    const first = after === undefined ? 0 : Number(after) + 1;
    const items = Array.from({ length: Math.min(limit, count - first) }, (_, i) => first + i);
    return items.length < limit ? { items } : { items, next: String(items.at(-1)) };
  };
  return { read, reads };
}

async function collect(count: number, limit: number, matches: (item: number) => boolean) {
  const { read, reads } = numbers(count);
  const pages: number[][] = [];
  let after: string | undefined;
  do {
    const page: Page<number> = await filteredPage(read, { after, limit }, matches);
    pages.push(page.items);
    after = page.next;
  } while (after !== undefined);
  return { pages, reads };
}

describe('filteredPage', () => {
  it.each([
    ['everything', () => true],
    ['every third', (n: number) => n % 3 === 0],
    ['one in a thousand', (n: number) => n % 1_000 === 999],
    ['only the last', (n: number) => n === 2_999],
    ['nothing', () => false],
  ])('shows each match once, in order, on full pages: %s', async (_what, matches) => {
    const { pages } = await collect(3_000, 7, matches);
    const expected = Array.from({ length: 3_000 }, (_, n) => n).filter(matches);
    expect(pages.flat()).toEqual(expected);
    for (const page of pages.slice(0, -1)) expect(page).toHaveLength(7);
  });

  it('does not read record by record when few match', async () => {
    const { reads } = await collect(100_000, 1, (n) => n === 99_998);
    expect(reads.length).toBeLessThan(250);
  });

  it('reads 1,000 when no limit is given', async () => {
    const { read } = numbers(3_000);
    expect((await filteredPage(read, {}, () => true)).items).toHaveLength(1_000);
  });
});
