import { aTask } from '#test/builders.js';
import { startStore, type StoreHarness } from '#test/store.js';
import { shardOf } from './shards.js';

let harness: StoreHarness;
beforeAll(async () => {
  harness = await startStore();
});
beforeEach(() => harness.clear());
afterAll(() => harness.stop());

const guids = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
const create = (taskGuid: string) =>
  harness.store.commit(shardOf(taskGuid), [{ kind: 'task', after: aTask({ taskGuid }) }]);
const remove = (taskGuid: string) =>
  harness.tasks.change(taskGuid, (task) => (task === undefined ? [] : [{ kind: 'task', before: task }]));

async function readAll(
  limit: number,
  between: () => Promise<unknown> = async () => undefined,
): Promise<string[][]> {
  const pages: string[][] = [];
  let after: string | undefined;
  do {
    const page = await harness.tasks.page({ after, limit });
    pages.push(page.items.map(({ taskGuid }) => taskGuid));
    after = page.next;
    await between();
  } while (after !== undefined);
  return pages;
}

describe('pages', () => {
  it.each([1, 7, 200, 1_000])('of %i have every record once, and none too many', async (limit) => {
    await Promise.all(guids('task', 200).map(create));
    const pages = await readAll(limit);
    expect(pages.flat().toSorted()).toEqual(guids('task', 200).toSorted());
    expect(Math.max(...pages.map((page) => page.length))).toBeLessThanOrEqual(limit);
    expect(await readAll(limit)).toEqual(pages);
  });

  it('of an empty store are one, with nothing on it', async () => {
    expect(await harness.tasks.page({ limit: 10 })).toEqual({ items: [] });
  });

  it('have every record that stays exactly once, whatever is written meanwhile', async () => {
    const staying = guids('staying', 40);
    const going = guids('going', 40);
    await Promise.all([...staying, ...going].map(create));
    let round = 0;
    const pages = await readAll(5, async () => {
      round += 1;
      await Promise.all([
        remove(going[round] ?? ''),
        remove(going[going.length - round] ?? ''),
        create(`coming-${round}`),
      ]);
    });
    const seen = pages.flat();
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.filter((guid) => guid.startsWith('staying')).toSorted()).toEqual(staying.toSorted());
  });

  it.each(['', 'x', Buffer.from('65 task').toString('base64url'), Buffer.from('task').toString('base64url')])(
    'refuse a position no page gave: %j',
    async (after) => {
      await expect(harness.tasks.page({ after, limit: 1 })).rejects.toMatchObject({
        code: 'invalid-request',
        details: { fields: [{ field: 'after' }] },
      });
    },
  );
});
