import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ALL_SHARDS, type Migration, schemaMarkOf, shardKey, shardOf } from '#rivera/store';
import type { ActualLRP } from '#rivera/models';
import { anActualLRP, aTag } from '#test/builders.js';
import { ensureBuilt } from '#test/build.js';
import { eventually, type StoreClient, type StoreHarness, startStore } from '#test/store.js';
import { SchemaMigration } from './schema-migration.js';

/** As `migrating-program.mjs` has it. */
const migrations: Migration[] = [
  { upgrade: { actual: (actual) => ({ ...actual, later: actual.domain }) as ActualLRP } },
];
const RECORDS = 600;

let harness: StoreHarness;
beforeAll(async () => {
  harness = await startStore();
});
afterAll(() => harness.stop());
beforeEach(() => harness.clear());

async function fill(client: StoreClient, count = RECORDS): Promise<void> {
  await client.store.open();
  await Promise.all(
    Array.from({ length: count }, (_, i) => {
      const after = anActualLRP({ processGuid: `p-${i}`, modificationTag: aTag() });
      return client.store.commit(shardOf(after.processGuid), [{ kind: 'actual', after }]);
    }),
  );
}

/** Values as Redis holds them. */
async function values(): Promise<string[]> {
  return (
    await Promise.all(ALL_SHARDS.map((shard) => harness.redis.hvals(shardKey(shard, 'actual'))))
  ).flat();
}
const isMigrated = (value: string): boolean => /^[^ ]+ 3 .*"later":"some-domain"/.test(value);
const layout = () => harness.redis.get('rivera:{deployment}:layout');

function start(client: StoreClient): { migration: SchemaMigration; said: string[] } {
  const said: string[] = [];
  const migration = new SchemaMigration({ recordsPerSecond: 1e9 }, client.store, {
    log: (what) => said.push(what),
  });
  migration.begin();
  return { migration, said };
}

async function run(migration: SchemaMigration, said: string[], token: number): Promise<void> {
  while (!said.includes('finished-migration')) {
    const waitMs = await migration.step({ role: 'converger', token });
    if (waitMs > 1_000 && !said.includes('finished-migration')) return;
  }
}

describe('a migration of the store', () => {
  it('waits for the last older program, and rewrites without a word to those who follow', async () => {
    const [older, newer] = [harness.client(), harness.client({ migrations })];
    await fill(older, 200);
    await newer.store.open();
    const before = (await newer.log.now()).toString();
    const { migration, said } = start(newer);
    await run(migration, said, 1);
    expect(said).toEqual(['migration-waits']);
    expect((await values()).some(isMigrated)).toBe(false);

    await older.store.versions.leave();
    await run(migration, said, 1);
    expect(said).toEqual(['migration-waits', 'began-migration', 'finished-migration']);
    expect((await values()).every(isMigrated)).toBe(true);
    expect(await layout()).toBe('{"shards":64,"schema":3}');
    expect((await newer.log.now()).toString()).toBe(before);
  });

  it('begins anew when an older program has come meanwhile', async () => {
    const [older, newer] = [harness.client(), harness.client({ migrations })];
    await fill(older, 200);
    await older.store.versions.leave();
    await newer.store.open();
    const { migration, said } = start(newer);
    for (let i = 0; i < 100; i++) await migration.step({ role: 'converger', token: 1 });
    await older.store.open();
    await older.store.commit(shardOf('late'), [
      { kind: 'actual', after: anActualLRP({ processGuid: 'late', modificationTag: aTag() }) },
    ]);
    await run(migration, said, 1);
    expect(said).not.toContain('finished-migration');
    await older.store.versions.leave();
    await run(migration, said, 1);
    expect((await values()).every(isMigrated)).toBe(true);
    expect(await layout()).toBe('{"shards":64,"schema":3}');
  });

  it('whoever was replaced writes nothing more', async () => {
    const newer = harness.client({ migrations });
    await fill(harness.client(), 50);
    await harness.redis.del('rivera:{deployment}:programs');
    await newer.store.fence({ role: 'converger', token: 2 });
    const { migration, said } = start(newer);
    await expect(run(migration, said, 1)).rejects.toMatchObject({ code: 'fenced' });
    expect((await values()).some(isMigrated)).toBe(false);
  });
});

describe('a program that is killed in the middle of a migration', () => {
  const program = fileURLToPath(new URL('../../../test/support/migrating-program.mjs', import.meta.url));
  const launch = (token: number): ChildProcess =>
    spawn(process.execPath, ['--conditions=default', program, harness.server.url, String(token)], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });

  it('is followed by one that goes on where it was', { timeout: 60_000 }, async () => {
    await ensureBuilt();
    const older = harness.client();
    await fill(older);
    await older.store.versions.leave();
    const marked = async () =>
      (await Promise.all(ALL_SHARDS.map((shard) => schemaMarkOf(older.store, shard)))).filter(Boolean);

    const first = launch(1);
    await eventually(async () => expect((await marked()).length).toBeGreaterThan(10));
    first.kill('SIGKILL');
    await once(first, 'exit');
    const done = (await values()).filter(isMigrated);
    expect(done.length).toBeGreaterThan(0);
    expect(done.length).toBeLessThan(RECORDS);
    expect(await layout()).toBe('{"shards":64,"schema":2}');

    const second = launch(2);
    const [status] = (await once(second, 'exit')) as [number];
    expect(status).toBe(0);
    const after = await values();
    expect(after).toHaveLength(RECORDS);
    expect(after.every(isMigrated)).toBe(true);
    expect(await layout()).toBe('{"shards":64,"schema":3}');
  });
});
