import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { desire, registerCell, type Transition } from '#rivera/lifecycle';
import { splitDesiredLRP } from '#rivera/models';
import { CELLS_SHARD, connectRedis, ProcessRepository, shardOf, Store, WORK_SHARD_IDS } from '#rivera/store';
import { ensureBuilt, PROJECT } from '../../support/build.js';
import { aDesiredLRP } from '../../support/builders.js';
import { CellMailboxes } from '../../support/cell-mailboxes.js';
import { REGISTRATION } from '../../support/fake-cell.js';
import { freePort, startRedis } from '../../support/redis.js';
import { Program } from '../../support/program.js';
import { StartUp } from './start-up.js';
import { type BenchContext, reportLatency } from '../bench.js';
import { cpuUs } from '../cpu.js';

const CELLS = 1_000;
const INSTANCES_PER_APP = 10;
/** Instances that have been written and not delivered, about. */
const WAITING = 5_000;
/** Instances written at a time. */
const FEED = 1_000;
/** Cells written in one commit. */
const COMMIT_LIMIT = 500;

const context = () => ({ now: Date.now(), newGuid: randomUUID });

/**
 * From an unplaced record to the message in the hands of a cell's mailbox worker: the real auctioneer, a Redis that
 * writes every commit to disk, 1,000 cells whose mailboxes are consumed as an agent consumes its own.
 */
export async function bench(bench: BenchContext): Promise<void> {
  await ensureBuilt();
  const redis = await startRedis({ appendonly: true });
  const directory = await mkdtemp(join(tmpdir(), 'rivera-bench-'));
  // A busy machine makes a benchmark slow, not impossible.
  const connection = connectRedis(redis.url, { commandTimeout: 60_000 });
  const store = new Store({ redis: connection });
  const cells = new CellMailboxes(redis.url);
  const cellIds = Array.from({ length: bench.isSmoke ? 20 : CELLS }, (_, position) => `cell-${position}`);
  const auctioneer = await auctioneerOn(redis.url, directory);
  try {
    await store.open();
    bench.progress(`${cellIds.length} cells`);
    await registerCells(store, cellIds);
    await cells.consume(cellIds);
    await auctioneer.start();
    const run = new AuctioneerBench(bench, store, cells, auctioneer, await pidOf(redis.url));
    const startUp = new StartUp(bench, store, auctioneer, cellIds);
    await run.sustained(bench.isSmoke ? 2_000 : 60_000);
    await run.single(bench.isSmoke ? 20 : 500);
    await startUp.measure(bench.isSmoke ? [500, 2_000] : [20_000, 200_000]);
  } finally {
    await auctioneer.kill9();
    cells.stop();
    connection.disconnect();
    await redis.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

class AuctioneerBench {
  private readonly processes: ProcessRepository;

  constructor(
    private readonly context: BenchContext,
    private readonly store: Store,
    private readonly cells: CellMailboxes,
    private readonly auctioneer: Program,
    private readonly redisPid: number,
  ) {
    this.processes = new ProcessRepository(store);
  }

  /** As fast as they are placed new ones are written, so that some always wait. The first fifth is not counted. */
  async sustained(count: number): Promise<void> {
    const { cells } = this;
    this.context.progress(`${count} instances, ${WAITING} waiting at a time`);
    const fed = this.feed(count);
    await cells.untilDelivered(count / 5);
    const before = await this.tally();
    await cells.untilDelivered(count);
    const after = await this.tally();
    await fed;
    const change = (figure: keyof typeof before) => after[figure] - before[figure];
    const instances = change('delivered');
    const figure = (metric: string, value: number, unit: string) =>
      this.context.report({ case: 'sustained-1000', metric, value, unit });
    figure('instances_per_second', instances / (change('ms') / 1_000), '1/s');
    figure('auctioneer_cpu_us', change('auctioneerUs') / instances, 'us');
    figure('redis_cpu_us', change('redisUs') / instances, 'us');
    figure('instances_per_message', instances / change('messages'), '1');
  }

  /** One instance after the other, from before its record is written until its cell has it. */
  async single(count: number): Promise<void> {
    this.context.progress(`${count} single instances`);
    const durations: number[] = [];
    const warmUp = Math.ceil(count / 5);
    for (let i = 0; i < count + warmUp; i += 1) {
      const lrp = splitDesiredLRP(aDesiredLRP());
      const { processGuid } = lrp.schedulingInfo;
      const delivered = this.cells.next(processGuid);
      const began = performance.now();
      await this.processes.change(processGuid, (process) => desire(process, lrp, context()));
      await delivered;
      durations.push(performance.now() - began);
    }
    reportLatency(this.context, 'single', durations.slice(warmUp));
  }

  /** Writes instances while fewer than `WAITING` of those written have not been delivered. */
  private async feed(count: number): Promise<void> {
    for (let written = 0; written < count; written += FEED) {
      await this.cells.untilDelivered(written - WAITING);
      await this.desireMany(Math.min(FEED, count - written));
    }
  }

  /** Ten instances an app, one commit a shard. */
  private async desireMany(instances: number): Promise<void> {
    const byShard = new Map<number, Transition>(WORK_SHARD_IDS.map((shard) => [shard, []]));
    for (let app = 0; app < instances / INSTANCES_PER_APP; app += 1) {
      const lrp = splitDesiredLRP(aDesiredLRP({ instances: INSTANCES_PER_APP }));
      const { processGuid } = lrp.schedulingInfo;
      byShard.get(shardOf(processGuid))?.push(...desire({ processGuid, actuals: [] }, lrp, context()));
    }
    await Promise.all([...byShard].map(([shard, transition]) => this.store.commit(shard, transition)));
  }

  private async tally() {
    const { delivered, messages } = this.cells;
    const [auctioneerUs, redisUs] = await Promise.all([cpuUs([this.auctioneer.pid]), cpuUs([this.redisPid])]);
    return { ms: performance.now(), delivered, messages, auctioneerUs, redisUs };
  }
}

/** Each takes 250 containers, as Diego's do; in three zones. */
async function registerCells(store: Store, cellIds: string[]): Promise<void> {
  const changes = cellIds.flatMap((cellId, position) =>
    registerCell(undefined, cellId, { ...REGISTRATION, zone: `z${position % 3}` }, {}, context()),
  );
  for (let at = 0; at < changes.length; at += COMMIT_LIMIT) {
    await store.commit(CELLS_SHARD, changes.slice(at, at + COMMIT_LIMIT));
  }
}

async function auctioneerOn(redisUrl: string, directory: string): Promise<Program> {
  const listen = `127.0.0.1:${await freePort()}`;
  return new Program({
    name: 'auctioneer',
    main: join(PROJECT, 'dist/apps/auctioneer/src/main.js'),
    env: { PATH: process.env.PATH ?? '', REDIS_URL: redisUrl, HEALTH_LISTEN: listen },
    readyUrl: `http://${listen}/readyz`,
    logFile: join(directory, 'auctioneer.log'),
  });
}

async function pidOf(redisUrl: string): Promise<number> {
  const redis = new Redis(redisUrl);
  const info = await redis.info('server');
  redis.disconnect();
  return Number(/process_id:(\d+)/.exec(info)?.[1]);
}
