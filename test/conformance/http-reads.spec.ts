/** Diego BBS reference §4.5, §4.6 and §6.3: lists and single records, fresh domains and present cells, over HTTP. */
import type { ActualLRP, DesiredLRP } from '#rivera/models';
import { type BbsHarness, startBbs } from '../support/bbs.js';
import { aDesiredLRP, aTaskDefinition } from '../support/builders.js';
import { FakeCell, REGISTRATION } from '../support/fake-cell.js';

let bbs: BbsHarness;
beforeAll(async () => {
  bbs = await startBbs();
});
afterAll(() => bbs.stop());

const items = async <T>(path: string): Promise<T[]> =>
  ((await bbs.as().get(path).expect(200)).body as { items: T[] }).items;
const guidsOf = async (query: string): Promise<string[]> =>
  (await items<DesiredLRP>(`/v1/desired-lrps?${query}`)).map(({ processGuid }) => processGuid).toSorted();

describe('4.5 reads', () => {
  it('lists of nothing are empty and no error', async () => {
    for (const path of ['desired-lrps', 'actual-lrps', 'tasks', 'cells', 'domains']) {
      expect(await items(`/v1/${path}`)).toEqual([]);
    }
  });

  it('a single record that is missing is not-found', async () => {
    for (const path of ['desired-lrps/nobody', 'tasks/nobody']) {
      expect((await bbs.as().get(`/v1/${path}`).expect(404)).body).toMatchObject({ code: 'not-found' });
    }
  });

  it('filters of desired LRPs are joined by and; process guids are exact', async () => {
    const lrps = [
      ['app-1', 'd1'],
      ['app-10', 'd1'],
      ['app-2', 'd2'],
    ] as const;
    for (const [processGuid, domain] of lrps)
      await bbs.client().desireLRP(aDesiredLRP({ processGuid, domain }));
    expect(await guidsOf('domain=d1')).toEqual(['app-1', 'app-10']);
    expect(await guidsOf('processGuid=app-1')).toEqual(['app-1']);
    expect(await guidsOf('processGuid=app-1&processGuid=app-2')).toEqual(['app-1', 'app-2']);
    expect(await guidsOf('domain=d2&processGuid=app-1&processGuid=app-2')).toEqual(['app-2']);
    expect(await guidsOf('domain=d%25')).toEqual([]);
    for (const view of ['scheduling', 'routing']) {
      expect(await guidsOf(`view=${view}&domain=d1&processGuid=app-10`)).toEqual(['app-10']);
    }
  });

  it('filters of actual LRPs are joined by and; index 0 can be asked for', async () => {
    const cell = await new FakeCell(bbs, 'cell-1').register();
    const { processGuid } = await bbs.client().desireLRP(aDesiredLRP({ instances: 2, domain: 'd3' }));
    await cell.run(processGuid, 1);
    const indexes = async (query: string): Promise<number[]> =>
      (await items<ActualLRP>(`/v1/actual-lrps?processGuid=${processGuid}&${query}`)).map(
        ({ index }) => index,
      );
    expect(await indexes('domain=d3')).toEqual([0, 1]);
    expect(await indexes('index=0')).toEqual([0]);
    expect(await indexes('cellId=cell-1')).toEqual([1]);
    expect(await indexes('state=UNCLAIMED')).toEqual([0]);
    expect(await indexes('state=RUNNING&cellId=cell-1&index=1&domain=d3')).toEqual([1]);
    expect(await indexes('state=RUNNING&index=0')).toEqual([]);
  });

  it('filters of tasks are joined by and', async () => {
    const cell = await new FakeCell(bbs, 'cell-2').register();
    for (const taskGuid of ['t-1', 't-2']) {
      await bbs.client().desireTask({ taskGuid, domain: 'td', definition: aTaskDefinition() });
    }
    await cell.placeTask('t-2');
    await cell.report({ type: 'start-task', taskGuid: 't-2' });
    const guids = async (query: string): Promise<string[]> =>
      (await items<{ taskGuid: string }>(`/v1/tasks?${query}`)).map(({ taskGuid }) => taskGuid);
    expect(await guids('domain=td')).toEqual(['t-1', 't-2']);
    expect(await guids('cellId=cell-2')).toEqual(['t-2']);
    expect(await guids('domain=td&state=PENDING')).toEqual(['t-1']);
    expect(await guids('domain=other')).toEqual([]);
  });
});

describe('4.6 domains over HTTP', () => {
  it('only fresh ones are listed; 0 seconds is for ever', async () => {
    const upsert = (domain: string, ttlSeconds: number) => bbs.client().upsertDomain(domain, ttlSeconds);
    await upsert('for-ever', 0);
    await upsert('short', 1);
    const fresh = async (): Promise<string[]> =>
      (await items<{ domain: string }>('/v1/domains')).map(({ domain }) => domain);
    expect(await fresh()).toEqual(['for-ever', 'short']);
    await vi.waitFor(async () => expect(await fresh()).toEqual(['for-ever']), { timeout: 10_000 });
  });
});

describe('6.3 cells', () => {
  it('registration is presence: a cell is listed with its capacity and constraints while it renews', async () => {
    const change = { placementTags: ['gpu'], optionalPlacementTags: ['ssd'], volumeDrivers: ['nfs'] };
    const cell = await new FakeCell(bbs, 'cell-3').register(change);
    const found = () =>
      items<{ cellId: string }>('/v1/cells').then((cells) => cells.find(({ cellId }) => cellId === 'cell-3'));
    expect(await found()).toMatchObject({ ...REGISTRATION, ...change, state: 'PRESENT', epoch: cell.epoch });
    await bbs.cellClient('cell-3').endCellPresence('cell-3', cell.epoch);
    expect(await found()).toBeUndefined();
  });

  it('12.1 an agent that was replaced is not heard, whatever it says', async () => {
    const first = await new FakeCell(bbs, 'cell-4').register();
    await new FakeCell(bbs, 'cell-4').register();
    await expect(first.report({ type: 'start-task', taskGuid: 't-1' })).rejects.toMatchObject({
      code: 'stale-epoch',
    });
  });
});
