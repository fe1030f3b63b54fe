import type { Capacity, PlacementExplanation, PlacementPlan } from '#rivera/models';
import { type AuctioneerApp, startAuctioneerApp } from '#test/auctioneer-app.js';
import { type BbsHarness, startBbs } from '#test/bbs.js';
import { aDesiredLRP, aTaskDefinition } from '#test/builders.js';
import { FakeCell } from '#test/fake-cell.js';

let bbs: BbsHarness;
let auctioneer: AuctioneerApp;

beforeAll(async () => {
  bbs = await startBbs({ env: { AUCTIONEER_ASK_TIMEOUT_MS: '20000' } });
  auctioneer = await startAuctioneerApp(bbs.redis.url);
  const capacity = (memoryMb: number) => ({ memoryMb, diskMb: 100_000, containers: 100 });
  await new FakeCell(bbs, 'cell-1').register({ zone: 'z1', capacity: capacity(1_024) });
  await new FakeCell(bbs, 'cell-2').register({ zone: 'z2', capacity: capacity(2_048) });
  await new FakeCell(bbs, 'cell-gold').register({
    zone: 'z2',
    capacity: capacity(4_096),
    placementTags: ['gold'],
  });
  await untilKnown(3);
});
afterAll(async () => {
  await auctioneer.stop();
  await bbs.stop();
});

async function untilKnown(cells: number): Promise<void> {
  await vi.waitFor(
    async () => {
      const { zones } = await bbs.client().getCapacity({ memoryMb: 1, diskMb: 1, placementTag: [] });
      const gold = await bbs.client().getCapacity({ memoryMb: 1, diskMb: 1, placementTag: ['gold'] });
      const known = [...zones, ...gold.zones].reduce((sum, zone) => sum + zone.cells, 0);
      expect(known).toBe(cells);
    },
    { timeout: 20_000 },
  );
}

async function everything(): Promise<unknown> {
  const client = bbs.client();
  const [lrps, actuals, tasks] = await Promise.all([
    client.listDesiredLRPs(),
    client.listActualLRPs(),
    client.listTasks(),
  ]);
  return { lrps, actuals, tasks };
}

describe('POST /v1/plan', () => {
  it('says where everything would go, together, and what would not', async () => {
    const before = await everything();
    const fits = aDesiredLRP({ instances: 2, memoryMb: 512 });
    const large = aDesiredLRP({ memoryMb: 8_192 });
    const task = {
      taskGuid: 'planned',
      domain: 'd',
      definition: aTaskDefinition({ rootfs: fits.rootfs, memoryMb: 64 }),
    };
    const plan: PlacementPlan = await bbs.client().plan({ lrps: [fits, large], tasks: [task] });
    const zonesOf = (isTask: boolean) =>
      plan.placements.filter((work) => 'taskGuid' in work === isTask).map(({ zone }) => zone);
    expect(zonesOf(false).toSorted()).toEqual(['z1', 'z2']);
    expect(zonesOf(true)).toHaveLength(1);
    expect(plan.unplaced).toEqual([
      {
        processGuid: large.processGuid,
        index: 0,
        placementError: 'insufficient resources: memory',
        candidates: {
          cells: 3,
          suitable: 0,
          mismatched: { 'placement-tags': 1 },
          short: { memory: 2 },
          barred: {},
        },
      },
    ]);
    expect(plan.tookUs).toBeGreaterThan(0);
    expect(await everything()).toEqual(before);
    // Nothing is reserved either: the same again.
    expect((await bbs.client().plan({ lrps: [fits, large], tasks: [task] })).placements).toEqual(
      plan.placements,
    );
  });

  it('plans of a desired LRP only what would come', async () => {
    const lrp = aDesiredLRP({ instances: 1, memoryMb: 1 });
    await bbs.client().desireLRP(lrp);
    const { placements } = await bbs.client().plan({ lrps: [{ ...lrp, instances: 3 }] });
    expect(placements).toMatchObject([{ index: 1 }, { index: 2 }]);
    await bbs.client().removeDesiredLRP(lrp.processGuid);
  });

  it.each([
    [{ lrps: [{ processGuid: 'x' }] }, 'lrps[0].domain'],
    [{ lrps: Array.from({ length: 101 }, () => aDesiredLRP()) }, 'lrps'],
    [{ lrps: [aDesiredLRP({ instances: 6_000 }), aDesiredLRP({ instances: 6_000 })] }, 'lrps'],
    [{ tasks: 3 }, 'tasks'],
  ])('refuses what cannot be planned, by field (%#)', async (body, field) => {
    const answer = await bbs.as('lrps:read').post('/v1/plan').send(body).expect(400);
    const { fields } = answer.body as { fields: { field: string }[] };
    expect(fields.map((complaint) => complaint.field)).toContain(field);
  });

  it('is not for LRPs of other domains', async () => {
    const token = bbs.token({ scopes: ['lrps:read'], domains: ['mine'] });
    const client = bbs.client({ token });
    await expect(client.plan({ lrps: [aDesiredLRP()] })).rejects.toMatchObject({ code: 'forbidden' });
  });
});

describe('GET /v1/actual-lrps/:processGuid/:index/placement', () => {
  const untilDecided = (processGuid: string): Promise<PlacementExplanation> =>
    vi.waitFor(
      async () => {
        const explanation = await bbs.client().explainPlacement(processGuid, 0);
        expect(explanation.cellId ?? explanation.placementError).toBeDefined();
        return explanation;
      },
      { timeout: 20_000 },
    );

  it('explains why an instance is nowhere', async () => {
    const { processGuid } = await bbs.client().desireLRP(aDesiredLRP({ memoryMb: 2_148 }));
    const explanation = await untilDecided(processGuid);
    expect(explanation).toMatchObject({
      processGuid,
      index: 0,
      placementError: 'insufficient resources: memory',
      decision: { placementError: 'insufficient resources: memory' },
      candidates: { cells: 3, suitable: 0, mismatched: { 'placement-tags': 1 }, short: { memory: 2 } },
      nearestMisses: [
        { cellId: 'cell-2', zone: 'z2', lacks: { memory: 100 } },
        { cellId: 'cell-1', zone: 'z1', lacks: { memory: 1_124 } },
      ],
      best: [],
    });
    expect(explanation.decision?.tookUs).toBeGreaterThan(0);
    expect(explanation.classes).toHaveLength(3);
    expect(explanation.classes).toContainEqual(
      expect.objectContaining({ placementTags: ['gold'], cells: 1, mismatched: { 'placement-tags': 1 } }),
    );
    await bbs.client().removeDesiredLRP(processGuid);
  });

  it('explains where an instance is, and how the others stand', async () => {
    const { processGuid } = await bbs.client().desireLRP(aDesiredLRP({ memoryMb: 64 }));
    const { cellId, best, candidates } = await untilDecided(processGuid);
    expect(candidates).toMatchObject({ cells: 3, suitable: 2 });
    // For one more like it, the cell that has it comes last.
    expect(best.map((cell) => cell.cellId)).toEqual([cellId === 'cell-1' ? 'cell-2' : 'cell-1', cellId]);
    expect(best[1]).toMatchObject({ zoneInstances: 1, instances: 1 });
    await bbs.client().removeDesiredLRP(processGuid);
  });

  it('knows no instance that is not there, and none of other domains', async () => {
    await expect(bbs.client().explainPlacement('nobody', 0)).rejects.toMatchObject({ code: 'not-found' });
    const { processGuid } = await bbs.client().desireLRP(aDesiredLRP());
    const stranger = bbs.client({ token: bbs.token({ domains: ['mine'] }) });
    await expect(stranger.explainPlacement(processGuid, 0)).rejects.toMatchObject({ code: 'not-found' });
    await bbs.client().removeDesiredLRP(processGuid);
  });
});

describe('GET /v1/capacity', () => {
  it.each<[object, Capacity]>([
    [
      { memoryMb: 512, diskMb: 1_024 },
      {
        instances: 6,
        zones: [
          { zone: 'z1', cells: 1, instances: 2 },
          { zone: 'z2', cells: 1, instances: 4 },
        ],
      },
    ],
    [
      { memoryMb: 1_024, diskMb: 60_000 },
      {
        instances: 2,
        zones: [
          { zone: 'z1', cells: 1, instances: 1 },
          { zone: 'z2', cells: 1, instances: 1 },
        ],
      },
    ],
    [
      { memoryMb: 0, diskMb: 0 },
      {
        instances: 200,
        zones: [
          { zone: 'z1', cells: 1, instances: 100 },
          { zone: 'z2', cells: 1, instances: 100 },
        ],
      },
    ],
    [
      { memoryMb: 512, diskMb: 0, placementTag: 'gold' },
      { instances: 8, zones: [{ zone: 'z2', cells: 1, instances: 8 }] },
    ],
    [
      { memoryMb: 1, diskMb: 1, rootfs: 'preloaded:none' },
      { instances: 0, zones: [] },
    ],
    [
      { memoryMb: 1, diskMb: 1, volumeDriver: 'nfs' },
      { instances: 0, zones: [] },
    ],
  ])('%j', async (query, expected) => {
    await vi.waitFor(async () => expect(await bbs.client().getCapacity(query as never)).toEqual(expected), {
      timeout: 20_000,
    });
  });

  it.each([
    '',
    '?memoryMb=64',
    '?memoryMb=x&diskMb=1',
    '?memoryMb=-1&diskMb=1',
    '?memoryMb=1&diskMb=1&cpu=1',
  ])('refuses %j', async (query) => {
    const { body } = await bbs.as('cells:read').get(`/v1/capacity${query}`).expect(400);
    expect(body).toMatchObject({ code: 'invalid-request' });
  });
});

it('without an active auctioneer all of them say so at once', async () => {
  const lonely = await startBbs();
  const lrp = aDesiredLRP();
  await lonely.client().desireLRP(lrp);
  const client = lonely.client({ maxAttempts: 1 });
  for (const question of [
    () => client.plan({ lrps: [aDesiredLRP()] }),
    () => client.explainPlacement(lrp.processGuid, 0),
    () => client.getCapacity({ memoryMb: 1, diskMb: 1 }),
  ]) {
    await expect(question()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('No auctioneer is active'),
    });
  }
  await lonely.stop();
});
