import { join } from 'node:path';
import { ensureBuilt, PROJECT } from '../support/build.js';
import { fuzz } from '../fuzz/fuzz.js';
import { FuzzedServer } from '../fuzz/server.js';

const REQUESTS = 2_000;

/** A short run of `npm run fuzz`, the same requests each time. */
describe('the HTTP API under malformed and random requests', () => {
  const server = new FuzzedServer();
  beforeAll(async () => {
    await ensureBuilt();
    await server.start(join(PROJECT, 'dist/apps/bbs/src/main.js'));
  });
  afterAll(() => server.stop());

  it('refuses what is wrong, with a reason, and does nothing else', async () => {
    const { failures, requests, hopelessRounds, counts } = await fuzz({
      server,
      requests: REQUESTS,
      seed: 1,
    });
    expect(failures).toEqual([]);
    expect(requests).toBe(REQUESTS);
    expect(hopelessRounds).toBeGreaterThan(0);
    const accepted = [...counts.values()]
      .flatMap((statuses) => [...statuses.keys()])
      .filter((each) => each < '300');
    expect(accepted).toEqual(expect.arrayContaining(['200', '201', '204']));
  });
});
