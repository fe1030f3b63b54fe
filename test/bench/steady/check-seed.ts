import type { RedisClient } from '#rivera/platform';
import { indexEntries, INDEXES, place } from '#rivera/lifecycle';
import { type ActualLRP, type CellRegistration, joinDesiredLRP } from '#rivera/models';
import { type ProcessRepository, shardKey, shardOf } from '#rivera/store';
import { RiveraClient } from '#rivera/client';
import type { Cluster } from '../../support/cluster.js';
import { anLRP, NET_INFO } from './seed.js';

const [REAL, SEEDED] = ['real-one', 'steady-0'];
const CELL = 'real-cell';

/**
 * Fails unless what was seeded is what one LRP leaves that really was desired, claimed and started over the API: the same
 * records but for what differs from one to the next, and the same entries of indexes.
 */
export async function checkSeed(
  cluster: Cluster,
  processes: ProcessRepository,
  redis: RedisClient,
): Promise<void> {
  const token = cluster.token({ sub: CELL, scope: 'cell', cellId: CELL });
  const cell = new RiveraClient({ api: cluster.api, token });
  const registration: CellRegistration = {
    zone: 'z1',
    address: '10.0.0.1',
    backend: 'fake',
    capacity: { memoryMb: 1, diskMb: 1, containers: 1 },
    rootfsProviders: [{ scheme: 'docker' }],
  };
  const { epoch } = await cell.renewCellPresence(CELL, { registration });
  await cluster.client.desireLRP(anLRP(REAL));
  const key = { processGuid: REAL, index: 0, instanceGuid: 'real-instance' };
  const placement = { cellId: CELL, instanceGuid: key.instanceGuid, deadline: Date.now() + 30_000 };
  await processes.changeInstance({
    processGuid: REAL,
    index: 0,
    decide: (instance) => place(instance, placement),
  });
  for (const report of [
    { type: 'claim', ...key } as const,
    { type: 'start', ...key, netInfo: NET_INFO, routable: true } as const,
  ]) {
    const [result] = await cell.reportTransitions(CELL, { epoch, reports: [report] });
    if (!result?.ok) throw new Error(`The ${report.type} was refused: ${JSON.stringify(result)}`);
  }
  const [real, seeded] = await Promise.all([REAL, SEEDED].map((guid) => shapeOf(guid, processes, redis)));
  if (real !== seeded) throw new Error(`What was seeded is\n${seeded}\nbut a real one is\n${real}`);
  await cluster.client.removeDesiredLRP(REAL);
  await cell.reportTransitions(CELL, { epoch, reports: [{ type: 'remove', ...key }] });
  await cell.endCellPresence(CELL, epoch);
}

/** Records and entries of indexes, without what no two have alike. */
async function shapeOf(
  processGuid: string,
  processes: ProcessRepository,
  redis: RedisClient,
): Promise<string> {
  const [{ schedulingInfo, run }, actuals] = await Promise.all([
    processes.desired(processGuid),
    processes.actualsOf(processGuid),
  ]);
  const [actual] = actuals as [ActualLRP];
  const entries: string[] = [];
  for (const { index, member } of indexEntries('actual', actual)) {
    const score = await redis.zscore(shardKey(shardOf(processGuid), index), member);
    entries.push(`${index} ${score === null ? 'absent' : 'there'}`);
  }
  for (const index of INDEXES) {
    const members = await redis.zrange(shardKey(shardOf(processGuid), index), 0, '-1');
    entries.push(`${index} ${members.filter((member) => member.includes(`/${processGuid}/`)).length}`);
  }
  const own = [processGuid, actual.cellId!, actual.instanceGuid!];
  return JSON.stringify(
    { desired: joinDesiredLRP(schedulingInfo, run), actual, entries },
    (key, value: unknown) => {
      if (typeof value === 'number' && /since|epoch/.test(key)) return 0;
      if (key === 'availabilityZone') return 'z';
      if (typeof value !== 'string') return value;
      const text = own.reduce((rest, each, i) => rest.replaceAll(each, `own-${i}`), value);
      return text.replaceAll(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, 'guid');
    },
  );
}
