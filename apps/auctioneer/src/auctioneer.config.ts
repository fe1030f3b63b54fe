import { z } from 'zod';
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
        })
        .transform((auctioneer) => ({
          leaseTtlMs: auctioneer.LEASE_TTL_MS,
          placementDeadlineMs: auctioneer.PLACEMENT_DEADLINE_MS,
          startingContainerWeight: auctioneer.STARTING_CONTAINER_WEIGHT,
          binPackFirstFitWeight: auctioneer.BIN_PACK_FIRST_FIT_WEIGHT,
          startingContainerCountMaximum: auctioneer.STARTING_CONTAINER_COUNT_MAXIMUM,
        })),
    },
    env,
  );
}

export type AuctioneerConfig = ReturnType<typeof loadAuctioneerConfig>;
