import type { CellReportResult } from '#rivera/models';
import { type BbsHarness, startBbs } from '#test/bbs.js';
import { aDesiredLRP } from '#test/builders.js';
import { FakeCell, type Instance, NET_INFO } from '#test/fake-cell.js';

let bbs: BbsHarness;
let leaving: FakeCell;
let staying: FakeCell;
beforeAll(async () => {
  bbs = await startBbs({ env: { EVACUATION_MAX_PER_LRP: '2', EVACUATION_MAX_IN_FLIGHT: '3' } });
  leaving = await new FakeCell(bbs, 'cell-1').register();
  staying = await new FakeCell(bbs, 'cell-2').register();
});
afterAll(() => bbs.stop());

/** Instances of one LRP that run on the cell that leaves. */
const run = async (processGuid: string, instances: number): Promise<Instance[]> => {
  await bbs.client().desireLRP(aDesiredLRP({ processGuid, instances }));
  return Promise.all(Array.from({ length: instances }, (_, index) => leaving.run(processGuid, index)));
};
const evacuate = (instances: Instance[]): Promise<CellReportResult[]> =>
  leaving.report(
    ...instances.map(({ key }) => ({
      type: 'evacuate-running' as const,
      ...key,
      netInfo: NET_INFO,
      routable: true,
    })),
  );
const MOVING = { ok: true, keepContainer: true };
const WAITING = { ok: true, keepContainer: true, waiting: true };
const GONE = { ok: true, keepContainer: false };

it('moves as many of an LRP, and of all, as may be on the move; the others wait and ask again', async () => {
  const first = await run('first', 3);
  const second = await run('second', 2);
  expect(await evacuate(first)).toEqual([MOVING, MOVING, WAITING]);
  expect(await evacuate(second)).toEqual([MOVING, WAITING]);
  expect(await evacuate([...first, ...second])).toEqual([MOVING, MOVING, WAITING, MOVING, WAITING]);

  await staying.run('first', 0);
  // What is on the move is counted anew every now and then.
  await vi.waitFor(async () => expect(await evacuate(first)).toEqual([GONE, MOVING, MOVING]), 10_000);
  await staying.run('first', 1);
  await vi.waitFor(async () => expect(await evacuate(second)).toEqual([MOVING, MOVING]), 10_000);
});

it('keeps what moves until the deadline of the drain', async () => {
  const [instance] = await run('third', 1);
  const { drain } = await bbs.client().drainCell('cell-1', { timeoutMs: 60_000 });
  await vi.waitFor(async () => {
    await staying.run('first', 2).catch(() => undefined);
    expect(await evacuate([instance!])).toEqual([MOVING]);
  }, 10_000);
  const { items } = await bbs.client().listActualLRPs({ processGuid: 'third' });
  expect(items.find(({ presence }) => presence === 'EVACUATING')).toMatchObject({
    expiresAt: drain?.deadline,
  });
});
