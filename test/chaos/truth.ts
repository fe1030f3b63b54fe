import type { ActualLRP, DesiredLRP } from '#rivera/models';
import type { Cluster } from '../support/cluster.js';
import type { Tenant } from './tenant.js';

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** What contradicts the answers that the tenants got; empty when nothing that was acknowledged is missing. */
export async function contradictions(cluster: Cluster, tenants: Tenant[]): Promise<string[]> {
  const desired = new Map(
    (await collect(cluster.client.desiredLRPs({ limit: 1_000 }))).map((lrp) => [
      lrp.processGuid,
      lrp.instances,
    ]),
  );
  const expected = new Map(tenants.flatMap(({ allowed }) => [...allowed]));
  const wrong = [...expected].filter(([guid, allowed]) => !allowed.includes(desired.get(guid)));
  return [
    ...wrong.map(([guid, allowed]) => `${guid} is ${desired.get(guid)}, may be ${allowed.join(' or ')}`),
    ...[...desired.keys()].filter((guid) => !expected.has(guid)).map((guid) => `nobody desired ${guid}`),
  ];
}

/** How actual differs from desired, in words; empty when it does not. */
export async function drift(cluster: Cluster): Promise<string[]> {
  const [desired, actual] = await Promise.all([
    collect(cluster.client.desiredLRPs({ limit: 1_000 })),
    collect(cluster.client.actualLRPs({ limit: 1_000 })),
  ]);
  return [...missing(desired, actual), ...strange(desired, actual)];
}

function missing(desired: DesiredLRP[], actual: ActualLRP[]): string[] {
  const running = new Set(
    actual.filter(({ state, stopping }) => state === 'RUNNING' && !stopping).map(slotOf),
  );
  const slots = desired.flatMap(({ processGuid, instances }) =>
    Array.from({ length: instances }, (_, index) => slotOf({ processGuid, index })),
  );
  return slots.filter((slot) => !running.has(slot)).map((slot) => `${slot} does not run`);
}

function strange(desired: DesiredLRP[], actual: ActualLRP[]): string[] {
  const instances = new Map(desired.map((lrp) => [lrp.processGuid, lrp.instances]));
  const seen = new Set<string>();
  return actual.flatMap((lrp) => {
    const slot = slotOf(lrp);
    if (lrp.index >= (instances.get(lrp.processGuid) ?? 0))
      return [`${slot} is ${lrp.state} and not desired`];
    if (seen.has(slot)) return [`${slot} exists twice`];
    seen.add(slot);
    return [];
  });
}

/** Instance guids that run, by what the store says. */
export async function runningInstances(cluster: Cluster): Promise<ActualLRP[]> {
  return collect(cluster.client.actualLRPs({ state: 'RUNNING', limit: 1_000 }));
}

/** How many containers each cell says that it has: its own metric, not the store. */
export async function containersByCell(cluster: Cluster): Promise<Record<string, number>> {
  const counts = await Promise.all(
    cluster.cellNames.map(async (name): Promise<[string, number]> => {
      const url = cluster.program(name).options.readyUrl.replace('readyz', 'metrics');
      const text = await (await fetch(url)).text();
      const lines = [...text.matchAll(/^\w*cell_containers\{[^}]*\} (\d+)$/gm)];
      return [name, lines.reduce((sum, [, count]) => sum + Number(count), 0)];
    }),
  );
  return Object.fromEntries(counts);
}

function slotOf({ processGuid, index }: { processGuid: string; index: number }): string {
  return `${processGuid}/${index}`;
}
