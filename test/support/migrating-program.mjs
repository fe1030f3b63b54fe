/**
 * A program of a later version, which migrates the store at `argv[2]` under the fence token `argv[3]`: every actual LRP gets
 * a field. Ends when it is done.
 */
import { SchemaMigration } from '../../dist/apps/converger/src/schema-migration.js';
import { connectRedis, Store } from '../../dist/libs/store/src/index.js';

const [, , url, token] = process.argv;
const migrations = [{ upgrade: { actual: (actual) => ({ ...actual, later: actual.domain }) } }];
const store = new Store({ redis: connectRedis(url), migrations });
await store.open();
const fence = { role: 'converger', token: Number(token) };
await store.fence(fence);
let isDone = false;
const log = (what) => {
  if (what === 'finished-migration') isDone = true;
};
const migration = new SchemaMigration({ recordsPerSecond: 400 }, store, { log });
migration.begin();
while (!isDone) {
  const waitMs = await migration.step(fence);
  if (!isDone) await new Promise((resolve) => setTimeout(resolve, waitMs));
}
await store.versions.leave();
process.exit(0);
