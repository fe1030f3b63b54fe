import { useCluster } from '../support/cluster.js';
import { monkey } from './monkey.js';
import { Chance } from './random.js';
import { Tenant } from './tenant.js';
import { containersByCell, contradictions, drift, runningInstances } from './truth.js';

const TENANTS = 4;
const ROUNDS = 2;

describe('crashes of the control plane', () => {
  const chance = Chance.ofRun();
  const cluster = useCluster({
    cells: 3,
    backend: 'fake',
    redis: { appendonly: true },
    supervised: true,
    leaseTtlMs: 2_000,
  });

  it(`loses nothing and runs nothing twice (CHAOS_SEED=${chance.seed})`, async () => {
    console.info(`CHAOS_SEED=${chance.seed}`);
    const end = new AbortController();
    const tenants = Array.from(
      { length: TENANTS },
      (_, index) =>
        new Tenant({
          name: `tenant-${index}`,
          client: cluster.connect({ timeoutMs: 3_000, deadlineMs: 6_000 }),
          chance: chance.split(),
          most: 12,
          pauseMs: 30,
        }),
    );
    const lives = Promise.all(tenants.map((tenant) => tenant.live(end.signal)));
    const victims = ['redis', 'bbs', 'auctioneer', 'converger'];
    await Promise.race([monkey(cluster, { chance, victims, rounds: ROUNDS }), lives]);
    end.abort();
    await lives;

    const sum = (of: (tenant: Tenant) => number): number => tenants.reduce((all, one) => all + of(one), 0);
    console.info(`${sum(({ calls }) => calls)} calls, ${sum(({ unanswered }) => unanswered)} unanswered`);
    expect(await contradictions(cluster, tenants)).toEqual([]);
    const calmAt = performance.now();
    await cluster.waitFor(() => drift(cluster), {
      what: 'actual is desired',
      until: (differences) => differences.length === 0,
      timeoutMs: 45_000,
      intervalMs: 250,
    });
    console.info(`converged ${Math.round(performance.now() - calmAt)} ms after the last call`);

    const running = await runningInstances(cluster);
    const wanted = Object.fromEntries(
      cluster.cellNames.map((name) => [name, running.filter(({ cellId }) => cellId === name).length]),
    );
    await cluster.waitFor(() => containersByCell(cluster), {
      what: `each cell has a container per instance that runs there: ${JSON.stringify(wanted)}`,
      until: (counts) => JSON.stringify(counts) === JSON.stringify(wanted),
      timeoutMs: 20_000,
      intervalMs: 500,
    });
    expect(await contradictions(cluster, tenants)).toEqual([]);
  });
});
