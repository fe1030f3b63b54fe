import { z } from 'zod';
import { DEFAULT_REBALANCE_OPTIONS } from '#rivera/auction';
import { healthListen, loadConfig, logConfig, redisConfig } from '#rivera/platform';

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
