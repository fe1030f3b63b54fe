import { type BbsHarness, startBbs } from '#test/bbs.js';
import { aDesiredLRP } from '#test/builders.js';
import { startRedis } from '#test/redis.js';
import { eventually } from '#test/store.js';

describe('a bbs that starts while Redis is away', () => {
  let bbs: BbsHarness;
  let redis: Awaited<ReturnType<typeof startRedis>>;

  beforeAll(async () => {
    redis = await startRedis();
    await redis.kill9();
    bbs = await startBbs({ redis });
  });
  afterAll(async () => {
    await bbs.stop();
    await redis.stop();
  });

  it('answers, says that it is not ready and why, and works as soon as Redis is there', async () => {
    await bbs.as().get('/healthz').expect(200);
    const { body } = await bbs.as().get('/readyz').expect(503);
    const [{ reason }] = (body as { checks: [{ reason: string }] }).checks;
    expect(reason).toContain('The store does not answer');
    const refused = bbs.client({ maxAttempts: 1 }).desireLRP(aDesiredLRP());
    await expect(refused).rejects.toMatchObject({ code: 'unavailable' });

    await redis.restart();
    await eventually(async () => void (await bbs.as().get('/readyz').expect(200)));
    const { processGuid } = await bbs.client().desireLRP(aDesiredLRP());
    expect(await bbs.client().getDesiredLRP(processGuid)).toMatchObject({ processGuid });
  });
});
