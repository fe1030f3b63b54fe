import { connectRedis, Store } from '#rivera/store';
import { useCluster } from '../support/cluster.js';
import { type LeaderRole, LeaseWatch } from '../support/lease-watch.js';
import { waitFor } from '../support/wait-for.js';
import { aShellLRP } from './workloads.js';

describe('two auctioneers and two convergers', () => {
  const cluster = useCluster({
    cells: 2,
    backend: 'fake',
    replicas: 2,
    leaseTtlMs: 3_000,
    redis: { appendonly: true },
  });

  const answers = async (name: string, path: string): Promise<{ status: number; text: string }> => {
    const { readyUrl } = cluster.program(name).options;
    const response = await fetch(new URL(path, readyUrl));
    return { status: response.status, text: await response.text() };
  };

  it.each<LeaderRole>(['auctioneer', 'converger'])(
    'a paused %s is replaced, and when it wakes up it writes nothing and steps back',
    async (role) => {
      const leases = new LeaseWatch(cluster, role);
      const redis = connectRedis(cluster.redis.url).on('error', () => undefined);
      const former = await leases.leader();
      const formerToken = await leases.holder();
      const lrps = [1, 2].map(() => aShellLRP('sleep 7200', { instances: 4 }));
      const [before, meanwhile] = lrps as [(typeof lrps)[0], (typeof lrps)[0]];
      await cluster.client.desireLRP(before);
      const untouched = await cluster.untilRunning(before.processGuid, 4);

      const next = await leases.next();
      cluster.program(former).pause();
      await next.taken();
      const latter = await leases.leader(former);
      // What it would also do, if it did not know better.
      await cluster.client.desireLRP(meanwhile);
      await cluster.client.retireActualLRP(before.processGuid, 3);
      const placed = await cluster.untilRunning(meanwhile.processGuid, 4);
      const token = await leases.holder();

      cluster.program(former).resume();
      await waitFor(() => cluster.program(former).logTail(1_000), {
        what: `${former} has noticed`,
        until: (log) => log.includes('lost-lease'),
      });
      await cluster.program(former).ready();
      expect(await leases.leader()).toBe(latter);
      expect(await leases.holder()).toBe(token);
      const store = new Store({ redis });
      const late = store.commit(0, [], { fence: { role, token: formerToken! } });
      await expect(late).rejects.toMatchObject({ code: 'fenced' });
      expect(await store.highestToken(role)).toBe(token);

      // Both go on as if nothing had been: the instances are those that the other one has seen to.
      const another = aShellLRP('sleep 7200', { instances: 2 });
      await cluster.client.desireLRP(another);
      await cluster.untilRunning(another.processGuid, 2);
      expect(guidsOf(await cluster.untilRunning(meanwhile.processGuid, 4))).toEqual(guidsOf(placed));
      const after = await cluster.untilRunning(before.processGuid, 4);
      expect(guidsOf(after).slice(0, 3)).toEqual(guidsOf(untouched).slice(0, 3));
      leases.close();
      redis.disconnect();
    },
  );

  it('start while Redis is away: they live, say that they wait, and begin when it is there', async () => {
    const names = ['bbs', 'auctioneer', 'converger'];
    for (const name of names) await cluster.program(name).stop();
    await cluster.redis.kill9();
    for (const name of names) cluster.program(name).launch();
    for (const name of names) {
      await waitFor(() => answers(name, '/readyz'), {
        what: `${name} says why it is not ready`,
        until: ({ status, text }) => status === 503 && text.includes('The store does not answer'),
      });
      expect(await answers(name, '/healthz')).toMatchObject({ status: 200 });
    }
    await cluster.redis.restart();
    for (const name of cluster.programNames) await cluster.program(name).ready();
    const lrp = aShellLRP();
    await cluster.client.upsertDomain('some-domain', 60);
    await cluster.client.desireLRP(lrp);
    await cluster.untilRunning(lrp.processGuid, 1);
  });
});

function guidsOf(actuals: readonly { instanceGuid?: string }[]): (string | undefined)[] {
  return actuals.map(({ instanceGuid }) => instanceGuid);
}
