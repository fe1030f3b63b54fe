/**
 * Diego auctioneer: the process around the scheduler (7.7). Items 99 to 101, 103 and 105 are about its HTTP server and its
 * clients of cells, which there are not: work is found in the store, and cells are told by mailbox.
 */
import { RiveraLogger } from '#rivera/platform';
import { loadAuctioneerConfig } from '../../apps/auctioneer/src/auctioneer.config.js';
import { startAuctioneer } from '../../apps/auctioneer/src/start-auctioneer.js';
import { type AuctioneerApp, startAuctioneerApp } from '../support/auctioneer-app.js';
import { type BbsHarness, startBbs } from '../support/bbs.js';
import { aDesiredLRP, aTaskDefinition } from '../support/builders.js';
import { FakeCell } from '../support/fake-cell.js';

let bbs: BbsHarness;
beforeEach(async () => {
  bbs = await startBbs();
});
afterEach(() => bbs.stop());

const eventually = <T>(look: () => Promise<T>): Promise<T> => vi.waitFor(look, { timeout: 20_000 });
const only = async (processGuid: string) => (await bbs.client().listActualLRPs({ processGuid })).items[0];

describe('7.7 the auctioneer', () => {
  it('7.7.102 one works at a time; a candidate takes over when the lease is free', async () => {
    const candidate = () => {
      const log: string[] = [];
      const logger = RiveraLogger.create({
        app: 'candidate',
        destination: { write: (line) => log.push(line) },
      });
      const config = loadAuctioneerConfig({
        REDIS_URL: bbs.redis.url,
        HEALTH_LISTEN: '127.0.0.1:0',
        LEASE_TTL_MS: '1000',
      });
      const isActive = () => log.some((line) => line.includes('"auctioneer-active"'));
      return { started: startAuctioneer(config, logger), isActive };
    };
    await new FakeCell(bbs, 'cell-1').register();
    const first = candidate();
    await eventually(() => Promise.resolve(expect(first.isActive()).toBe(true)));
    const second = candidate();
    await second.started;
    const before = await bbs.client().desireLRP(aDesiredLRP());
    await eventually(async () => expect(await only(before.processGuid)).toHaveProperty('placement'));
    expect(second.isActive()).toBe(false);

    await (await first.started).close();
    const after = await bbs.client().desireLRP(aDesiredLRP());
    await eventually(async () => expect(await only(after.processGuid)).toHaveProperty('placement'));
    expect(second.isActive()).toBe(true);
    await (await second.started).close();
  });

  it('7.7.104 every task that failed is rejected with its text, every instance has it', async () => {
    const auctioneer: AuctioneerApp = await startAuctioneerApp(bbs.redis.url);
    await new FakeCell(bbs, 'cell-1').register({ capacity: { memoryMb: 128, diskMb: 1_000, containers: 5 } });
    const lrp = await bbs.client().desireLRP(aDesiredLRP({ instances: 2, memoryMb: 4_096 }));
    const definition = aTaskDefinition({ rootfs: 'preloaded:other' });
    await bbs.client().desireTask({ taskGuid: 'task', domain: 'd', definition });
    await eventually(async () => {
      const { items } = await bbs.client().listActualLRPs({ processGuid: lrp.processGuid });
      expect(items.map(({ placementError }) => placementError)).toEqual([
        'insufficient resources: memory',
        'insufficient resources: memory',
      ]);
      expect(await bbs.client().getTask('task')).toMatchObject({
        state: 'PENDING',
        rejectionCount: 1,
        rejectionReason: 'found no compatible cell for required rootfs',
      });
    });
    await auctioneer.stop();
  });
});
