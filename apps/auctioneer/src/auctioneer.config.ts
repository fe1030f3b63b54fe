import { z } from 'zod';
import { DEFAULT_REBALANCE_OPTIONS, type PoolPolicy } from '#rivera/auction';
import { healthListen, loadConfig, logConfig, redisConfig } from '#rivera/platform';

/** `pool=percent,pool=percent` */
const percents = z
  .string()
  .default('')
  .transform((text, context): Record<string, PoolPolicy> => {
    const pairs = text
      .split(',')
      .filter((entry) => entry !== '')
      .map((entry) => entry.split('='));
    const isFine = ([pool, percent, ...more]: string[]) =>
      pool !== '' && more.length === 0 && /^\d{1,3}$/.test(percent ?? '') && Number(percent) <= 100;
    if (pairs.every(isFine)) {
      return Object.fromEntries(pairs.map(([pool, percent]) => [pool, { packFromPercent: Number(percent) }]));
    }
    context.addIssue({ code: 'custom', message: 'pool=percent pairs, separated by commas; from 0 to 100' });
    return z.NEVER;
  });

/** Everything the `auctioneer` reads from its environment; see docs/operations/configuration.md. */
export function loadAuctioneerConfig(env?: NodeJS.ProcessEnv) {
  return loadConfig(
    {
      redis: redisConfig,
      log: logConfig,
      health: healthListen,
      auctioneer: z
        .object({
          LEASE_TTL_MS: z.coerce.number().int().min(1_000).default(6_000),
          /** How long a cell has to claim what it was given before it is given to another. */
          PLACEMENT_DEADLINE_MS: z.coerce.number().int().min(1_000).default(15_000),
          STARTING_CONTAINER_WEIGHT: z.coerce.number().min(0).default(0.25),
          BIN_PACK_FIRST_FIT_WEIGHT: z.coerce.number().min(0).default(0),
          STARTING_CONTAINER_COUNT_MAXIMUM: z.coerce.number().int().default(0),
          /** Pool → from which fill its cells are packed, in per cent; 0 = always. */
          POOL_PACK_FROM_PERCENT: percents,
          /** A cell with this much memory free is a hole for large work; 0 = holes are not kept. */
          HOLE_MEMORY_MB: z.coerce.number().int().min(0).default(0),
          /** How many of them are kept, in each zone and for each kind of cell. */
          HOLE_COUNT: z.coerce.number().int().min(0).default(2),
          /** How long a cell on which an app crashed, or that refused it, is tried last for that app; 0 = not at all. */
          FAILURE_MEMORY_MS: z.coerce.number().int().min(0).default(0),
          /** How often instances are moved to better cells; 0 = only when asked. */
          REBALANCE_INTERVAL_MS: z.coerce.number().int().min(0).default(0),
          REBALANCE_MOVES_PER_MINUTE: z.coerce.number().positive().default(10),
          REBALANCE_MIN_GAIN: z.coerce.number().positive().default(DEFAULT_REBALANCE_OPTIONS.minGain),
        })
        .transform((auctioneer) => ({
          leaseTtlMs: auctioneer.LEASE_TTL_MS,
          placementDeadlineMs: auctioneer.PLACEMENT_DEADLINE_MS,
          startingContainerWeight: auctioneer.STARTING_CONTAINER_WEIGHT,
          binPackFirstFitWeight: auctioneer.BIN_PACK_FIRST_FIT_WEIGHT,
          startingContainerCountMaximum: auctioneer.STARTING_CONTAINER_COUNT_MAXIMUM,
          pools: auctioneer.POOL_PACK_FROM_PERCENT,
          holes: { memoryMb: auctioneer.HOLE_MEMORY_MB, count: auctioneer.HOLE_COUNT },
          failureMemoryMs: auctioneer.FAILURE_MEMORY_MS,
          rebalance: {
            intervalMs: auctioneer.REBALANCE_INTERVAL_MS,
            movesPerMinute: auctioneer.REBALANCE_MOVES_PER_MINUTE,
            minGain: auctioneer.REBALANCE_MIN_GAIN,
          },
        })),
    },
    env,
  );
}

export type AuctioneerConfig = ReturnType<typeof loadAuctioneerConfig>;
