import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const ROLES = ['auctioneer', 'converger'];

/**
 * Writes as an auctioneer and a converger that were replaced long ago would, with the code that the programs run: every
 * shard must refuse it.
 */
export async function zombieViolations(dist: string, redisUrl: string): Promise<string[]> {
  const module = pathToFileURL(join(dist, 'libs/store/src/index.js')).href;
  const { ALL_SHARDS, connectRedis, Store } = (await import(module)) as typeof import('#rivera/store');
  const redis = connectRedis(redisUrl);
  const store = new Store({ redis });
  try {
    const accepted = await Promise.all(
      ROLES.flatMap((role) =>
        ALL_SHARDS.map((shard) =>
          store.commit(shard, [], { fence: { role, token: 0 } }).then(
            () => [`shard ${shard} takes writes of a former ${role}`],
            (error: unknown) => (isFenced(error) ? [] : [String(error)]),
          ),
        ),
      ),
    );
    return accepted.flat();
  } finally {
    redis.disconnect();
  }
}

/** By its code, because an error of a copy of the code is of another class. */
function isFenced(error: unknown): boolean {
  return (error as { code?: string }).code === 'fenced';
}
