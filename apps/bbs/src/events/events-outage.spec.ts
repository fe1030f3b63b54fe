import { type BbsHarness, startBbs } from '#test/bbs.js';
import { aTaskDefinition } from '#test/builders.js';
import { Following } from '#test/follow.js';

let bbs: BbsHarness;
beforeAll(async () => {
  bbs = await startBbs({ appendonly: true });
});
afterAll(() => bbs.stop());

describe('a Redis that crashes and comes back', () => {
  it('costs no stream and no event', async () => {
    const following = await Following.start(bbs.client(), { type: 'task_created' });
    const acknowledged: string[] = [];
    const over = new AbortController();
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      const client = bbs.client({ maxAttempts: 1 });
      for (let n = 0; !over.signal.aborted; n += 1) {
        const taskGuid = `task-${writer}-${n}`;
        const request = { taskGuid, domain: 'd', definition: aTaskDefinition() };
        await client.desireTask(request).then(
          () => acknowledged.push(taskGuid),
          () => new Promise((resolve) => setTimeout(resolve, 20)),
        );
      }
    });
    await following.until(({ items }) => items.length > 20);
    await bbs.redis.kill9();
    await vi.waitFor(() => expect(bbs.log.join('')).toContain('store-connection-failed'), {
      timeout: 10_000,
    });
    await bbs.redis.restart();
    const before = acknowledged.length;
    await vi.waitFor(() => expect(acknowledged.length).toBeGreaterThan(before + 20), { timeout: 20_000 });
    over.abort();
    await Promise.all(writers);

    const told = () =>
      following.events.flatMap((event) =>
        'after' in event && 'taskGuid' in event.after ? [event.after.taskGuid] : [],
      );
    const isTold = () => new Set(told());
    await following.until(() => acknowledged.every((guid) => isTold().has(guid)));
    expect(isTold().size).toBe(told().length);
    expect(following.resets).toEqual([]);
    expect(following.disconnects).toBe(0);
    await following.stop();
  });
});
