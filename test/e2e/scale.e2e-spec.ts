import { aDesiredLRP } from '../support/builders.js';
import { useCluster } from '../support/cluster.js';

const CELLS = 6;
const PROCESSES = 30;
const INSTANCES_EACH = 10;

describe('many cells and many instances', () => {
  const cluster = useCluster({ cells: CELLS, backend: 'fake', presenceTtlMs: 15_000 });
  const guids = Array.from({ length: PROCESSES }, (_, index) => `many-${index}`);

  const running = async (): Promise<Map<string, number>> => {
    const perCell = new Map<string, number>();
    for await (const lrp of cluster.client.actualLRPs({ state: 'RUNNING', limit: 1_000 })) {
      perCell.set(lrp.cellId ?? '', (perCell.get(lrp.cellId ?? '') ?? 0) + 1);
    }
    return perCell;
  };
  const total = (perCell: Map<string, number>): number =>
    [...perCell.values()].reduce((sum, n) => sum + n, 0);

  it('places 300 instances evenly and in both zones', async () => {
    await Promise.all(
      guids.map((processGuid) =>
        cluster.client.desireLRP(
          aDesiredLRP({ processGuid, instances: INSTANCES_EACH, rootfs: 'preloaded:base', memoryMb: 32 }),
        ),
      ),
    );
    const perCell = await cluster.waitFor(running, {
      what: `${PROCESSES * INSTANCES_EACH} instances RUNNING`,
      until: (seen) => total(seen) === PROCESSES * INSTANCES_EACH,
      timeoutMs: 60_000,
    });
    expect(perCell.size).toBe(CELLS);
    const even = (PROCESSES * INSTANCES_EACH) / CELLS;
    for (const count of perCell.values()) expect(Math.abs(count - even)).toBeLessThanOrEqual(even / 3);

    for (const processGuid of guids) {
      const zones = (await cluster.actuals(processGuid)).map(({ availabilityZone }) => availabilityZone);
      expect(zones.filter((zone) => zone === 'z1')).toHaveLength(INSTANCES_EACH / 2);
    }
  });

  it('removes them all', async () => {
    await Promise.all(guids.map((processGuid) => cluster.client.removeDesiredLRP(processGuid)));
    await cluster.waitFor(async () => (await cluster.client.listActualLRPs({ limit: 10 })).items, {
      what: 'no instances left',
      until: (items) => items.length === 0,
      timeoutMs: 60_000,
    });
  });
});
