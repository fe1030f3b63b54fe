import { hasDocker } from '../e2e/workloads.js';
import { useCluster } from '../support/cluster.js';
import { monkey } from './monkey.js';
import { Chance } from './random.js';
import { Tenant } from './tenant.js';
import { contradictions, drift, runningInstances } from './truth.js';

describe.skipIf(!hasDocker())('crashes around real containers', () => {
  const chance = Chance.ofRun();
  const cluster = useCluster({
    cells: 2,
    backend: 'docker',
    redis: { appendonly: true },
    supervised: true,
    leaseTtlMs: 2_000,
  });

  it(`leaves one container per desired instance (CHAOS_SEED=${chance.seed})`, async () => {
    console.info(`CHAOS_SEED=${chance.seed}`);
    const end = new AbortController();
    const tenant = new Tenant({
      name: 'tenant',
      client: cluster.connect({ timeoutMs: 3_000, deadlineMs: 6_000 }),
      chance: chance.split(),
      most: 4,
      pauseMs: 1_000,
    });
    const life = tenant.live(end.signal);
    const victims = ['redis', 'bbs', 'auctioneer', 'converger', 'cell-1', 'cell-2'];
    await Promise.race([monkey(cluster, { chance, victims, rounds: 1 }), life]);
    end.abort();
    await life;
    const calmAt = performance.now();

    expect(await contradictions(cluster, [tenant])).toEqual([]);
    await cluster.waitFor(
      async () => {
        const instances = (await runningInstances(cluster)).map(({ instanceGuid }) => instanceGuid ?? '');
        const containers = (await cluster.containers()).map(({ handle, state }) => `${handle} ${state}`);
        const expected = new Set(instances.map((guid) => `${guid} running`));
        return {
          drift: await drift(cluster),
          withoutInstance: containers.filter((container) => !expected.has(container)),
          withoutContainer: [...expected].filter((container) => !containers.includes(container)),
        };
      },
      {
        what: 'desired, actual and the containers of the engine are the same',
        until: (differences) => Object.values(differences).every((list) => list.length === 0),
        timeoutMs: 60_000,
        intervalMs: 250,
      },
    );
    console.info(`converged ${Math.round(performance.now() - calmAt)} ms after the last call`);
  });
});
