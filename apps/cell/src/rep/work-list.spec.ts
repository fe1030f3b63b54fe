import type { CellWork } from '#rivera/models';
import { WorkList } from './work-list.js';

const workOf = (epoch: number): CellWork => ({ epoch, actualLRPs: [], tasks: [] });

it('is what it was as long as the store says so, and is read as a whole every now and then', async () => {
  const tags: (string | undefined)[] = [];
  const list = new WorkList(
    {
      getCellWorkUnless: (_cellId, tag) => {
        tags.push(tag);
        return Promise.resolve(tag === undefined ? { tag: 'same', work: workOf(tags.length) } : { tag });
      },
    },
    'cell-1',
  );
  const first = await list.read();
  for (let i = 0; i < 20; i += 1) expect(await list.read()).toBe(first);
  expect(await list.read()).toEqual(workOf(22));
  expect(tags.filter((tag) => tag === undefined)).toHaveLength(2);
});
