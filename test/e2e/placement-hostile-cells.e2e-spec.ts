import { Worker } from 'bullmq';
import { openRedis, type RedisClient } from '#rivera/platform';
import { cellAddress, mailboxQueue } from '#rivera/actor';
import type { RiveraClient } from '#rivera/client';
import type { CellMessages, CellRegistration } from '#rivera/models';
import { useCluster } from '../support/cluster.js';
import { REGISTRATION } from '../support/fake-cell.js';
import { aShellLRP } from './workloads.js';

const PRESENCE_RENEWAL_MS = 1_000;
/** Far more room than all honest cells together, and an offer of every zone: placement would love them. */
const TEMPTING = { memoryMb: 1_000_000, diskMb: 1_000_000, containers: 10_000 };

type Placed = CellMessages['place'];

/** A cell of which only the presence is real. What it is told it treats as it likes. */
class HostileCell {
  refused = 0;
  private epoch = 0;
  private readonly timer: NodeJS.Timeout;
  private worker: Worker | undefined;
  private bus: RedisClient | undefined;

  private constructor(
    readonly cellId: string,
    private readonly client: RiveraClient,
    private readonly registration: CellRegistration,
  ) {
    this.timer = setInterval(() => void this.renew().catch(() => undefined), PRESENCE_RENEWAL_MS);
  }

  static async join(cellId: string, client: RiveraClient, zone: string): Promise<HostileCell> {
    const registration = {
      ...REGISTRATION,
      zone,
      capacity: TEMPTING,
      rootfsProviders: [{ scheme: 'preloaded', stacks: ['base'] }],
    };
    const cell = new HostileCell(cellId, client, registration);
    cell.epoch = (await client.renewCellPresence(cellId, { registration })).epoch;
    return cell;
  }

  /** Takes its messages, and refuses all but the first `taken` instances. */
  answer(redisUrl: string, taken = 0): void {
    const { name, prefix } = mailboxQueue(cellAddress(this.cellId));
    this.bus = openRedis(redisUrl, { maxRetriesPerRequest: null });
    let left = taken;
    this.worker = new Worker<{ payload: Placed }>(
      name,
      async (job) => {
        if (job.name !== 'place') return;
        for (const { processGuid, index, instanceGuid } of job.data.payload.lrps) {
          const key = { processGuid, index, instanceGuid };
          left -= 1;
          if (left >= 0) {
            await this.report({ type: 'claim', ...key });
          } else {
            this.refused += 1;
            await this.report({ type: 'refuse', ...key, reason: 'insufficient resources' });
          }
        }
      },
      { prefix, connection: this.bus },
    );
    this.worker.on('error', () => undefined);
  }

  stop(): void {
    clearInterval(this.timer);
    void this.worker?.close(true).catch(() => undefined);
    this.bus?.disconnect();
  }

  private async renew(): Promise<void> {
    if (this.epoch === 0) return;
    const { cellId, client, registration, epoch } = this;
    await client.renewCellPresence(cellId, { registration, epoch });
  }

  private async report(report: Parameters<RiveraClient['reportTransitions']>[1]['reports'][number]) {
    const { cellId, client, epoch } = this;
    await client.reportTransitions(cellId, { epoch, reports: [report] });
  }
}

describe('cells that do not do as they are told', () => {
  const cluster = useCluster({ cells: 2, backend: 'fake' });
  const hostile: HostileCell[] = [];
  const join = async (cellId: string, zone: string): Promise<HostileCell> => {
    const token = cluster.token({ sub: cellId, scope: 'cell', cellId });
    const cell = await HostileCell.join(cellId, cluster.connect({ token }), zone);
    hostile.push(cell);
    return cell;
  };
  afterEach(async () => {
    for (const cell of hostile.splice(0)) cell.stop();
    for await (const { processGuid } of cluster.client.desiredLRPs()) {
      await cluster.client.removeDesiredLRP(processGuid);
    }
    await cluster.waitFor(async () => (await cluster.client.listActualLRPs()).items, {
      what: 'no instance is left',
      until: (items) => items.length === 0,
      timeoutMs: 60_000,
    });
  });

  /** Where the instances run in the end. */
  const cellsOf = async (processGuid: string, instances: number): Promise<Set<string | undefined>> => {
    const actuals = await cluster.untilRunning(processGuid, instances, 90_000);
    return new Set(actuals.map(({ cellId }) => cellId));
  };

  it('one that refuses everything: others have its share at once, and it is left alone', async () => {
    const cell = await join('cell-refuser', 'z3');
    cell.answer(cluster.redis.url);
    const first = aShellLRP('sleep 3600', { instances: 12 });
    await cluster.client.desireLRP(first);
    expect(await cellsOf(first.processGuid, 12)).toEqual(new Set(['cell-1', 'cell-2']));
    const { refused } = cell;
    expect(refused).toBeGreaterThan(0);
    const second = aShellLRP('sleep 3600', { instances: 30 });
    await cluster.client.desireLRP(second);
    await cellsOf(second.processGuid, 30);
    const { distrusted } = await cluster.client.explainPlacement(second.processGuid, 0);
    expect(distrusted.map(({ cellId }) => cellId)).toContain('cell-refuser');
    // A third of thirty would have been its share.
    expect(cell.refused - refused).toBeLessThan(10);
  });

  it('one that lies about its capacity: it keeps what it took, the rest goes elsewhere', async () => {
    const cell = await join('cell-liar', 'z3');
    cell.answer(cluster.redis.url, 2);
    const lrp = aShellLRP('sleep 3600', { instances: 15 });
    await cluster.client.desireLRP(lrp);
    const actuals = await cluster.waitFor(() => cluster.actuals(lrp.processGuid), {
      what: 'all but the two of the liar run',
      until: (rows) => rows.filter(({ state }) => state === 'RUNNING').length === 13,
      timeoutMs: 90_000,
    });
    const onLiar = actuals.filter(({ cellId }) => cellId === 'cell-liar');
    expect(onLiar.map(({ state }) => state)).toEqual(['CLAIMED', 'CLAIMED']);
    expect(cell.refused).toBeGreaterThan(0);
  });

  it('one that never answers: whatever went to others runs meanwhile, and then all of it', async () => {
    await join('cell-silent', 'z3');
    const lrp = aShellLRP('sleep 3600', { instances: 9 });
    await cluster.client.desireLRP(lrp);
    const early = await cluster.waitFor(() => cluster.actuals(lrp.processGuid), {
      what: 'the instances of the honest cells run while the silent one is waited for',
      until: (rows) =>
        rows.filter(({ state }) => state === 'RUNNING').length >= 6 &&
        rows.some(({ placement }) => placement?.cellId === 'cell-silent'),
    });
    expect(early).toHaveLength(9);
    // Another one is not held up by it either.
    const other = aShellLRP('sleep 3600', { instances: 2 });
    await cluster.client.desireLRP(other);
    expect(await cellsOf(lrp.processGuid, 9)).toEqual(new Set(['cell-1', 'cell-2']));
    expect(await cellsOf(other.processGuid, 2)).toEqual(new Set(['cell-1', 'cell-2']));
    const [actual] = await cluster.actuals(lrp.processGuid);
    expect(actual).not.toHaveProperty('refusedBy');
  });
});
