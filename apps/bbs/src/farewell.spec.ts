import { type BbsHarness, startBbs } from '#test/bbs.js';
import { aDesiredLRP } from '#test/builders.js';
import { Following } from '#test/follow.js';
import { type RedisHarness, startRedis } from '#test/redis.js';

describe('one of two bbs that is asked to stop', () => {
  let redis: RedisHarness;
  let leaving: BbsHarness;
  let staying: BbsHarness;

  beforeAll(async () => {
    redis = await startRedis();
    leaving = await startBbs({ redis, env: { SHUTDOWN_GRACE_MS: '1000' } });
    staying = await startBbs({ redis });
  });
  afterAll(async () => {
    await staying.stop();
    await redis.stop();
  });

  it('fails no call and loses no event of a client that knows both', async () => {
    const client = leaving.client({ api: [leaving.url, staying.url], random: () => 0 });
    const following = await Following.start(client);
    const made = [await client.desireLRP(aDesiredLRP())];

    const stopped = leaving.app.close();
    await vi.waitFor(async () => expect((await fetch(`${leaving.url}/readyz`)).status).toBe(503));
    // It still serves, and says with its answer that this was the last on this connection.
    const last = await fetch(`${leaving.url}/healthz`);
    expect([last.status, last.headers.get('connection')]).toEqual([200, 'close']);
    let isStopped = false;
    void stopped.then(() => (isStopped = true));
    while (!isStopped) made.push(await client.desireLRP(aDesiredLRP({ instances: 0 })));
    made.push(await client.desireLRP(aDesiredLRP({ instances: 0 })));

    const told = (): string[] =>
      following.events.flatMap((event) =>
        event.type === 'desired_lrp_created' ? [event.after.processGuid] : [],
      );
    await following.until(() => told().length >= made.length);
    expect(told().toSorted()).toEqual(made.map(({ processGuid }) => processGuid).toSorted());
    expect(following.resets).toEqual([]);
    await following.stop();
  });
});
