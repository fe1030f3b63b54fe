import { type Page, type PageRequest, positionAfter, Stored } from '#rivera/store';
import { filteredPage } from './pages.js';

interface Numbered {
  n: number;
}

/** A store of the numbers below `count`; notes how much was asked for. */
function numbers(count: number) {
  const reads: number[] = [];
  const read = async ({ after, limit }: PageRequest): Promise<Page<Stored<Numbered>>> => {
    reads.push(limit);
    const first = after === undefined ? 0 : Number(Buffer.from(after, 'base64url').toString().slice(2)) + 1;
    const items = Array.from(
      { length: Math.min(limit, count - first) },
      (_, i) => new Stored<Numbered>(0, String(first + i), `e:0 {"n":${first + i}}`),
    );
    return items.length < limit ? { items } : { items, next: positionAfter(items.at(-1)!) };
  };
  return { read, reads };
}

async function collect(count: number, limit: number, matches?: (item: number) => boolean) {
  const { read, reads } = numbers(count);
  const pages: number[][] = [];
  let after: string | undefined;
  do {
    const page: Page<Stored<Numbered>> = await filteredPage(
      read,
      { after, limit },
      matches && (({ n }) => matches(n)),
    );
    pages.push(page.items.map(({ record }) => record.n));
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

  it('shows everything, and parses nothing, without a filter', async () => {
    const { pages } = await collect(20, 7);
    expect(pages.map((page) => page.length)).toEqual([7, 7, 6]);
    const { items } = await filteredPage(numbers(20).read, { limit: 7 });
    expect(items.some(({ isParsed }) => isParsed)).toBe(false);
  });

  it('reads 1,000 when no limit is given', async () => {
    for (const matches of [undefined, () => true]) {
      expect((await filteredPage(numbers(3_000).read, {}, matches)).items).toHaveLength(1_000);
    }
  });
});
