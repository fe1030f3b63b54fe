import type { ActualLRP, Cell } from '#rivera/models';
import { aDesiredLRP } from '../support/builders.js';
import { useCluster } from '../support/cluster.js';
import { Following } from '../support/follow.js';

const ROOTFS = 'preloaded:base';

/** Agents that are paused: the cell is out of reach, and what it runs goes on. Any loss is more than is allowed. */
describe('a cell out of reach', () => {
  const cluster = useCluster({
    cells: 2,
    backend: 'fake',
    presenceTtlMs: 3_000,
    controlPlaneEnv: { converger: { CELL_LOSS_PERCENT: '0', CELL_LOSS_MIN: '0' } },
  });
  const guid = 'web';

  const cell = async (cellId: string): Promise<Cell> => cluster.client.getCell(cellId);
  const untilCell = (cellId: string, what: string, until: (cell: Cell) => boolean) =>
    cluster.waitFor(() => cell(cellId), { what: `${cellId} is ${what}`, until, timeoutMs: 30_000 });
  const untilRows = (what: string, until: (rows: ActualLRP[]) => boolean) =>
    cluster.waitFor(() => cluster.actuals(guid), { what, until, timeoutMs: 30_000 });
  const identity = ({ index, instanceGuid }: ActualLRP) => `${index} ${instanceGuid}`;
  const keys = (rows: ActualLRP[]) => rows.map(identity);
  const isMissing = ({ state }: Cell) => state === 'MISSING';
  const isPresent = ({ state }: Cell) => state === 'PRESENT';
  const isSettled = (rows: ActualLRP[]) =>
    rows.length === 2 && rows.every(({ state, presence }) => state === 'RUNNING' && presence === 'ORDINARY');

  /** What somebody knows who only followed events since `before`. */
  const knownFrom = (before: ActualLRP[], { events }: Following): ActualLRP[] => {
    const known = new Map(before.map((row) => [identity(row), row]));
    for (const event of events) {
      if (event.type === 'actual_lrp_changed' || event.type === 'actual_lrp_removed') {
        known.delete(identity(event.before));
      }
      if (event.type === 'actual_lrp_changed' || event.type === 'actual_lrp_created') {
        known.set(identity(event.after), event.after);
      }
    }
    return [...known.values()].toSorted((a, b) => a.index - b.index);
  };

  /** It is soon the same as the store says, and each index once. */
  const expectToldAll = async (before: ActualLRP[], following: Following): Promise<void> => {
    const rows = await cluster.actuals(guid);
    expect(rows.map(({ index, presence }) => `${index} ${presence}`)).toEqual(['0 ORDINARY', '1 ORDINARY']);
    await vi.waitFor(() => expect(knownFrom(before, following)).toEqual(rows), { timeout: 5_000 });
    await following.stop();
  };

  it('is held by the safety stop, and taken back as it was', async () => {
    await cluster.client.desireLRP(aDesiredLRP({ processGuid: guid, instances: 2, rootfs: ROOTFS }));
    const before = await cluster.untilRunning(guid, 2);
    const following = await Following.start(cluster.client);
    cluster.program('cell-1').pause();
    const lost = await untilCell('cell-1', 'missing', isMissing);
    expect(lost).toMatchObject({ replacementHeld: true });
    expect(await cluster.actuals(guid)).toEqual(before);
    cluster.program('cell-1').resume();
    await untilCell('cell-1', 'back', isPresent);
    expect(await cluster.actuals(guid)).toEqual(before);
    expect((await following.stop()).types.filter((type) => type.startsWith('actual_lrp'))).toEqual([]);
  });

  it('is replaced when an operator lets go; its own instance goes when it is back', async () => {
    const before = await cluster.actuals(guid);
    const following = await Following.start(cluster.client);
    cluster.program('cell-1').pause();
    await untilCell('cell-1', 'missing', isMissing);
    await cluster.client.releaseReplacement('cell-1');
    const after = await untilRows(
      'both run on cell-2',
      (rows) => isSettled(rows) && rows.every(({ cellId }) => cellId === 'cell-2'),
    );
    expect(keys(after)).not.toEqual(keys(before));
    cluster.program('cell-1').resume();
    await untilCell('cell-1', 'back', isPresent);
    await cluster.waitFor(() => cluster.client.getCell('cell-1'), {
      what: 'cell-1 holds nothing',
      until: ({ work }) => Object.values(work).every((count) => count === 0),
    });
    expect(keys(await cluster.actuals(guid))).toEqual(keys(after));
    await expectToldAll(before, following);
  });

  it('and there is no room elsewhere: its instances are suspect, then ordinary again', async () => {
    await cluster.client.retireActualLRP(guid, 0);
    const before = await untilRows(
      'one runs on each',
      (rows) => isSettled(rows) && rows.some(({ cellId }) => cellId === 'cell-1'),
    );
    await cluster.client.cordonCell('cell-2');
    const following = await Following.start(cluster.client);
    cluster.program('cell-1').pause();
    await untilCell('cell-1', 'missing', isMissing);
    await cluster.client.releaseReplacement('cell-1');
    const rows = await untilRows(
      'a suspect serves while its replacement waits',
      (all) =>
        all.some(({ presence }) => presence === 'SUSPECT') &&
        all.some(({ placementError }) => placementError !== undefined),
    );
    expect(rows).toHaveLength(3);
    cluster.program('cell-1').resume();
    const after = await untilRows('the suspect is ordinary again', isSettled);
    expect(keys(after)).toEqual(keys(before));
    await expectToldAll(before, following);
    await cluster.client.uncordonCell('cell-2');
  });
});
