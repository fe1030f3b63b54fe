import type { ActualLRP } from '#rivera/models';
import { CellRepository } from '#rivera/store';
import { type BbsHarness, startBbs } from '#test/bbs.js';
import { aDesiredLRP } from '#test/builders.js';
import { FakeCell } from '#test/fake-cell.js';

let bbs: BbsHarness;
let one: FakeCell;
let two: FakeCell;
beforeAll(async () => {
  bbs = await startBbs();
  one = await new FakeCell(bbs, 'cell-1').register();
  two = await new FakeCell(bbs, 'cell-2').register();
});
afterAll(() => bbs.stop());

const PATH = '/v1/actual-lrps';
const list = async (query: object): Promise<{ items: ActualLRP[]; next?: string }> =>
  (await bbs.as('lrps:read').get(PATH).query(query).expect(200)).body as {
    items: ActualLRP[];
    next?: string;
  };
const indices = (items: ActualLRP[]) => items.map(({ index }) => index).toSorted((a, b) => a - b);
const desire = (fields: object = {}) => bbs.client().desireLRP(aDesiredLRP(fields));

describe('list', () => {
  let processGuid: string;
  const domain = 'of-the-list';
  beforeAll(async () => {
    ({ processGuid } = await desire({ instances: 4, domain }));
    await one.run(processGuid, 0);
    await two.run(processGuid, 1);
    await (await one.place(processGuid, 2)).claim();
    await desire({ instances: 2 });
  });

  it.each([
    [{ domain }, [0, 1, 2, 3]],
    [{ cellId: 'cell-1' }, [0, 2]],
    [{ cellId: 'cell-1', state: 'RUNNING' }, [0]],
    [{ domain, state: 'UNCLAIMED' }, [3]],
    [{ domain, index: 1 }, [1]],
    [{ domain, index: 1, cellId: 'cell-1' }, []],
    [{ domain: 'nowhere' }, []],
    [{ cellId: 'nowhere' }, []],
  ])('filters by %j', async (query, expected) => {
    const { items } = await list(query);
    expect(indices(items.filter((item) => item.processGuid === processGuid))).toEqual(expected);
    expect(items.filter((item) => item.processGuid !== processGuid)).toEqual([]);
  });

  it('finds the instances of process guids, named once or twice', async () => {
    expect(indices((await list({ processGuid })).items)).toEqual([0, 1, 2, 3]);
    expect(indices((await list({ processGuid: [processGuid, processGuid, 'nobody'] })).items)).toEqual([
      0, 1, 2, 3,
    ]);
    expect(indices((await list({ processGuid, state: 'CLAIMED' })).items)).toEqual([2]);
    expect((await list({ processGuid: 'nobody' })).items).toEqual([]);
  });

  it('shows a running instance whole', async () => {
    const { items } = await list({ processGuid, index: 0 });
    expect(items).toMatchObject([
      {
        state: 'RUNNING',
        presence: 'ORDINARY',
        cellId: 'cell-1',
        availabilityZone: 'z1',
        routable: true,
        crashCount: 0,
        resources: { memoryMb: 64, diskMb: 128 },
        netInfo: { address: '10.0.0.1', ports: [{ containerPort: 8080, hostPort: 61_001 }] },
      },
    ]);
  });

  it('pages under writes: what stays is seen once', async () => {
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await list({ limit: 2, after });
      seen.push(...page.items.map((item) => `${item.processGuid}/${item.index}`));
      after = page.next;
      await desire();
    } while (after !== undefined);
    expect(new Set(seen).size).toBe(seen.length);
    for (const index of [0, 1, 2, 3]) expect(seen).toContain(`${processGuid}/${index}`);
  });

  it.each([
    ['state=running', 'state', 'isOneOf'],
    ['index=-1', 'index', 'isInteger'],
    ['index=', 'index', 'isInteger'],
    ['index=1.5', 'index', 'isInteger'],
    ['cellId=a&cellId=b', 'cellId', 'isText'],
    ['after=!', 'after', 'cursor'],
  ])('refuses ?%s', async (query, field, rule) => {
    const { body } = await bbs.as().get(`${PATH}?${query}`).expect(400);
    expect(body).toMatchObject({ code: 'invalid-request', fields: [{ field, rule }] });
  });
});

describe('retire', () => {
  const retire = (processGuid: string, index: number | string) =>
    bbs.as('lrps:write').delete(`${PATH}/${processGuid}/${index}`);

  it('asks the cell of a running instance to stop it; when it has, another takes its place', async () => {
    const { processGuid } = await desire();
    const instance = await one.run(processGuid);
    await retire(processGuid, 0).expect(202);
    expect((await list({ processGuid })).items).toMatchObject([{ state: 'RUNNING', stopping: true }]);
    expect((await one.work()).actualLRPs).toContainEqual(
      expect.objectContaining({ processGuid, stopping: true }),
    );
    await instance.remove();
    const [fresh] = (await list({ processGuid })).items;
    expect(fresh).toMatchObject({ state: 'UNCLAIMED' });
    expect(fresh).not.toHaveProperty('stopping');
    expect(fresh).not.toHaveProperty('instanceGuid');
  });

  it('changes nothing when asked again', async () => {
    const { processGuid } = await desire();
    await one.run(processGuid);
    await retire(processGuid, 0).expect(202);
    const before = await list({ processGuid });
    await retire(processGuid, 0).expect(202);
    expect(await list({ processGuid })).toEqual(before);
  });

  it('replaces an instance at once when its cell has left', async () => {
    const gone = await new FakeCell(bbs, 'cell-3').register();
    const { processGuid } = await desire();
    await gone.run(processGuid);
    await bbs.cellClient('cell-3').endCellPresence('cell-3', gone.epoch);
    await retire(processGuid, 0).expect(202);
    expect((await list({ processGuid })).items).toMatchObject([{ state: 'UNCLAIMED', presence: 'ORDINARY' }]);
  });

  it('asks an instance to stop that came while the cell of the one before it was looked up', async () => {
    const gone = await new FakeCell(bbs, 'cell-4').register();
    const { processGuid } = await desire();
    await gone.run(processGuid);
    await bbs.cellClient('cell-4').endCellPresence('cell-4', gone.epoch);
    const cells = bbs.app.get(CellRepository);
    const get = cells.get.bind(cells);
    const looking = vi.spyOn(cells, 'get').mockImplementationOnce(async (cellId) => {
      const missing = await get(cellId);
      await retire(processGuid, 0).expect(202);
      await one.run(processGuid);
      return missing;
    });
    await retire(processGuid, 0).expect(202);
    looking.mockRestore();
    expect((await list({ processGuid })).items).toMatchObject([
      { state: 'RUNNING', cellId: 'cell-1', stopping: true },
    ]);
  });

  it('answers 404 for an instance that is not there', async () => {
    const { processGuid } = await desire();
    expect((await retire(processGuid, 1).expect(404)).body).toMatchObject({ code: 'not-found' });
    expect((await retire('nobody', 0).expect(404)).body).toMatchObject({ code: 'not-found' });
  });

  it.each(['first', '-1', '1.5', '99999999999999999999'])('refuses the index %s', async (index) => {
    const { body } = await retire('nobody', index).expect(400);
    expect(body).toMatchObject({ code: 'invalid-request', fields: [{ field: 'index', rule: 'isInteger' }] });
  });
});
