import { ProcessRepository } from '#rivera/store';
import { type BbsHarness, startBbs } from '#test/bbs.js';
import { aDesiredLRP, aTaskDefinition } from '#test/builders.js';
import { FakeCell } from '#test/fake-cell.js';

let bbs: BbsHarness;
beforeAll(async () => {
  bbs = await startBbs();
});
afterAll(() => bbs.stop());

const desire = async () => (await bbs.client().desireLRP(aDesiredLRP())).processGuid;

it('is told only to whom it is news', async () => {
  const [cell, other] = [
    await new FakeCell(bbs, 'cell-1').register(),
    await new FakeCell(bbs, 'cell-2').register(),
  ];
  const client = bbs.cellClient('cell-1');
  let tag: string | undefined;
  /** The states of what is there, or undefined when nothing has changed. */
  const news = async (): Promise<string[] | undefined> => {
    const answer = await client.getCellWorkUnless('cell-1', tag);
    ({ tag } = answer);
    if (answer.work === undefined) return undefined;
    expect(answer.work).toEqual(await client.getCellWork('cell-1'));
    const { actualLRPs, tasks } = answer.work;
    return [
      ...actualLRPs.map(({ state, stopping }) => (stopping ? 'stopping' : state)),
      ...tasks.map(({ state }) => state),
    ];
  };
  expect(await news()).toEqual([]);
  expect(await news()).toBeUndefined();

  const processGuid = await desire();
  expect(await news()).toBeUndefined();
  const placed = await cell.place(processGuid);
  expect(await news()).toEqual(['UNCLAIMED']);
  await placed.claim();
  expect(await news()).toEqual(['CLAIMED']);
  await placed.start();
  expect(await news()).toEqual(['RUNNING']);
  await placed.start();
  await other.run(await desire());
  expect(await news()).toBeUndefined();

  const taskGuid = crypto.randomUUID();
  await bbs.client().desireTask({ taskGuid, domain: 'd', definition: aTaskDefinition() });
  await cell.placeTask(taskGuid);
  expect(await news()).toEqual(['RUNNING', 'PENDING']);
  await bbs.client().cancelTask(taskGuid);
  expect(await news()).toEqual(['RUNNING']);

  await bbs.as('lrps:write').delete(`/v1/actual-lrps/${processGuid}/0`).expect(202);
  expect(await news()).toEqual(['stopping']);
  await placed.remove();
  expect(await news()).toEqual([]);
  expect(await news()).toBeUndefined();

  // Another agent of the cell begins with what it is told, and so does whoever has a tag of before.
  await cell.register();
  expect(await news()).toEqual([]);
});

it('that changes while it is read is told again', async () => {
  const cell = await new FakeCell(bbs, 'cell-3').register();
  const processGuid = await desire();
  await cell.place(processGuid);
  const processes = bbs.app.get(ProcessRepository);
  const read = processes.storedActualsOnCell.bind(processes);
  vi.spyOn(processes, 'storedActualsOnCell').mockImplementationOnce(async (cellId) => {
    await cell.place(await desire());
    return read(cellId);
  });
  const client = bbs.cellClient('cell-3');
  const first = await client.getCellWorkUnless('cell-3', undefined);
  expect(first.work?.actualLRPs).toHaveLength(2);
  const second = await client.getCellWorkUnless('cell-3', first.tag);
  expect(second.work?.actualLRPs).toHaveLength(2);
  expect((await client.getCellWorkUnless('cell-3', second.tag)).work).toBeUndefined();
});
