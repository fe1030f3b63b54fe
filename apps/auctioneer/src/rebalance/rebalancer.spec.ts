import { type AuctioneerApp, startAuctioneerApp } from '#test/auctioneer-app.js';
import { type BbsHarness, startBbs } from '#test/bbs.js';
import { aDesiredLRP } from '#test/builders.js';
import { FakeCell, NET_INFO } from '#test/fake-cell.js';

let bbs: BbsHarness;
let auctioneer: AuctioneerApp;
let full: FakeCell;
let empty: FakeCell;

/** An app of two instances that both run on the first cell. */
async function crowdedApp(): Promise<string> {
  const { processGuid } = await bbs.client().desireLRP(aDesiredLRP({ instances: 2 }));
  const patience = { timeout: 30_000 };
  for (const index of [0, 1]) {
    await vi.waitFor(async () => {
      const { actualLRPs } = await full.work();
      const placed = actualLRPs.find((row) => row.processGuid === processGuid && row.index === index);
      if (placed?.placement === undefined) throw new Error(`${processGuid}/${index} is not placed yet.`);
      const { instanceGuid } = placed.placement;
      const key = { processGuid, index, instanceGuid };
      await full.report(
        { type: 'claim', ...key },
        { type: 'start', ...key, netInfo: NET_INFO, routable: true },
      );
    }, patience);
  }
  return processGuid;
}

const rows = async (processGuid: string) =>
  (await bbs.client().listActualLRPs({ processGuid })).items
    .map(({ index, state, presence, cellId, placement }) =>
      [index, presence, state, cellId ?? placement?.cellId].join(' '),
    )
    .toSorted();
const rebalance = (dryRun = false) => bbs.client().rebalance({ dryRun });

beforeEach(async () => {
  bbs = await startBbs({ env: { AUCTIONEER_ASK_TIMEOUT_MS: '10000' } });
  auctioneer = await startAuctioneerApp(bbs.redis.url);
  full = await new FakeCell(bbs, 'cell-1').register({ zone: 'z1' });
});
afterEach(async () => {
  await auctioneer.stop();
  await bbs.stop();
});

/** The second cell comes only now. */
async function crowdedAndEmpty(): Promise<string> {
  const processGuid = await crowdedApp();
  empty = await new FakeCell(bbs, 'cell-2').register({ zone: 'z2' });
  return processGuid;
}

async function moved(processGuid: string): Promise<{ index: number; instanceGuid: string }> {
  const { started } = await rebalance();
  expect(started).toMatchObject([{ processGuid }]);
  const { actualLRPs } = await empty.work();
  const { index = -1, placement } = actualLRPs[0] ?? {};
  return { index, instanceGuid: placement?.instanceGuid ?? '' };
}

it('a dry run writes nothing', async () => {
  const processGuid = await crowdedAndEmpty();
  const before = await bbs.client().listActualLRPs({});
  const plan = await rebalance(true);
  expect(plan.moves).toMatchObject([{ processGuid, from: 'cell-1', to: 'cell-2', reason: 'zone' }]);
  expect(plan).toMatchObject({
    dryRun: true,
    started: [],
    before: { skewedApps: 1 },
    after: { skewedApps: 0 },
  });
  expect(await bbs.client().listActualLRPs({})).toEqual(before);
});

it('a move starts the replacement on the better cell; when it runs, the old copy goes', async () => {
  const processGuid = await crowdedAndEmpty();
  const { index, instanceGuid } = await moved(processGuid);
  expect(await rows(processGuid)).toEqual(
    [
      `${index} EVACUATING RUNNING cell-1`,
      `${index} ORDINARY UNCLAIMED cell-2`,
      `${1 - index} ORDINARY RUNNING cell-1`,
    ].toSorted(),
  );
  // What moves is left alone.
  expect((await rebalance()).moves).toEqual([]);

  const key = { processGuid, index, instanceGuid };
  const results = await empty.report(
    { type: 'claim', ...key },
    { type: 'start', ...key, netInfo: NET_INFO, routable: true },
  );
  expect(results).toMatchObject([{ ok: true }, { ok: true }]);
  expect(await rows(processGuid)).toEqual(
    [`${index} ORDINARY RUNNING cell-2`, `${1 - index} ORDINARY RUNNING cell-1`].toSorted(),
  );
  expect((await full.work()).actualLRPs).toHaveLength(1);
});

it('a cell that refuses leaves all as it was', async () => {
  const processGuid = await crowdedAndEmpty();
  const before = await rows(processGuid);
  const { index, instanceGuid } = await moved(processGuid);
  await empty.report({ type: 'refuse', processGuid, index, instanceGuid, reason: 'no room' });
  expect(await rows(processGuid)).toEqual(before);
  expect((await empty.work()).actualLRPs).toEqual([]);
});

it('nothing is moved to a cell that takes no new work', async () => {
  await crowdedAndEmpty();
  await bbs.client().cordonCell('cell-2');
  expect((await rebalance(true)).moves).toEqual([]);
});

it('without an active auctioneer it says so', async () => {
  const lonely = await startBbs();
  await lonely
    .as()
    .post('/v1/rebalance')
    .send({ dryRun: true })
    .expect(503)
    .expect(({ body }) => expect(body).toMatchObject({ code: 'unavailable' }));
  await lonely.stop();
});

it('what is not a number of moves is refused, field by field', async () => {
  const { body } = await bbs.as().post('/v1/rebalance').send({ maxMoves: 0, dry: true }).expect(400);
  const fields = (body as { fields: { field: string }[] }).fields.map(({ field }) => field);
  expect(fields.toSorted()).toEqual(['dry', 'maxMoves']);
});
