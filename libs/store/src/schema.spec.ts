import { BUILT_AT, aTag, aTask } from '#test/builders.js';
import { type StoreHarness, startStore } from '#test/store.js';
import type { Task } from '#rivera/models';
import type { Migration } from './schema.js';
import { shardKey, shardOf } from './shards.js';

/** Tasks get a field that earlier versions do not know; it is derived from one that they do. */
const toThree: Migration = {
  upgrade: { task: (task) => ({ ...task, place: `in ${task.domain}` }) as Task },
};
const toFour: Migration = { upgrade: {} };
const placeOf = (task: Task | undefined): unknown => (task as { place?: string } | undefined)?.place;

let harness: StoreHarness;
beforeAll(async () => {
  harness = await startStore();
});
afterAll(() => harness.stop());
beforeEach(() => harness.clear());

const older = () => harness.client();
const newer = () => harness.client({ migrations: [toThree] });
const raw = (id: string) => harness.redis.hget(shardKey(shardOf(id), 'task'), id);

async function make(client: ReturnType<typeof older>, taskGuid: string): Promise<void> {
  await client.tasks.change(taskGuid, () => [
    { kind: 'task', after: aTask({ taskGuid, modificationTag: aTag() }) },
  ]);
}
async function touch(client: ReturnType<typeof older>, taskGuid: string): Promise<void> {
  await client.tasks.change(taskGuid, (before) => {
    const { epoch, index } = before!.modificationTag;
    // Made anew, as some rules do: only what this version knows is in it.
    const after = aTask({
      taskGuid,
      updatedAt: BUILT_AT + index,
      modificationTag: { epoch, index: index + 1 },
    });
    return [{ kind: 'task', before, after }];
  });
}

describe('two versions on one store', () => {
  it('a record of the older one is seen in the new form, and written in it when it is touched', async () => {
    await make(older(), 't');
    expect(await raw('t')).not.toContain('place');
    const stored = (await newer().store.getStored(shardOf('t'), 'task', ['t']))[0]!;
    expect([placeOf(stored.record), stored.isBehind]).toEqual(['in some-domain', true]);
    expect(JSON.parse(stored.json)).toEqual(stored.record);
    await touch(newer(), 't');
    expect(await raw('t')).toMatch(/^[^ ]+:1 3 \{/);
  });

  it('what the newer one wrote survives an update by the older one, which does not know of it', async () => {
    await make(newer(), 't');
    await newer().tasks.change('t', (before) => [
      {
        kind: 'task',
        before,
        after: { ...before!, place: 'x', modificationTag: { ...before!.modificationTag, index: 1 } } as Task,
      },
    ]);
    await touch(older(), 't');
    expect(await raw('t')).toMatch(/^[^ ]+:2 \{.*"place":"x"/);
    const { events } = await older().log.read(shardOf('t'), 2);
    expect(JSON.stringify(events)).toContain('"place":"x"');
    // The form says who wrote it last, so what is derived is derived again.
    expect(placeOf(await newer().tasks.get('t'))).toBe('in some-domain');
  });

  it('both write at the same time and nothing is lost', async () => {
    await make(older(), 't');
    const writers = [older(), newer(), older(), newer()];
    await Promise.all(writers.flatMap((writer) => Array.from({ length: 10 }, () => touch(writer, 't'))));
    expect((await newer().tasks.get('t'))?.modificationTag.index).toBe(40);
  });
});

describe('a program that starts', () => {
  const refusal = async (client: ReturnType<typeof older>): Promise<unknown> =>
    client.store.open().then(
      () => undefined,
      (error: Error & { code: string }) => [error.code, error.message],
    );
  const layout = (schema: number) =>
    harness.redis.set('rivera:{deployment}:layout', `{"shards":64,"schema":${schema}}`);

  it('may be one version away from the store, and no more', async () => {
    await layout(4);
    expect(await refusal(older())).toEqual([
      'unsupported',
      'This store has schema 4, but this version of Rivera knows 2 and what is next to it. Start a version of Rivera that knows schema 3 or 4.',
    ]);
    await layout(2);
    const muchNewer = harness.client({ migrations: [toThree, toFour] });
    expect(await refusal(muchNewer)).toEqual([
      'unsupported',
      expect.stringContaining('Update one version at a time: first to one that knows schema 3'),
    ]);
    expect(await refusal(newer())).toBeUndefined();
  });

  it('may be one version away from every program that runs, and no more', async () => {
    await layout(3);
    const [first, last] = [older(), harness.client({ migrations: [toThree, toFour] })];
    expect(await refusal(last)).toBeUndefined();
    expect(await refusal(first)).toEqual([
      'unsupported',
      expect.stringContaining('A program that knows schema 4 runs'),
    ]);
    await last.store.versions.leave();
    expect(await refusal(first)).toBeUndefined();
  });

  it('takes the store back when it is the older one, and no migration ends that began before', async () => {
    const [before, after] = [newer(), older()];
    await layout(2);
    const { generation } = await before.store.versions.announce();
    expect(await before.store.versions.raise(generation)).toBe(true);
    await after.store.open();
    expect(await before.store.versions.announce()).toMatchObject({ stored: 2, lowest: 2 });
    await after.store.versions.leave();
    expect(await before.store.versions.raise(generation)).toBe(false);
  });

  it('refuses another number of shards', async () => {
    await harness.redis.set('rivera:{deployment}:layout', '{"shards":32,"schema":2}');
    expect(await refusal(older())).toEqual(['unsupported', expect.stringContaining('{"shards":32')]);
  });
});
