import { z } from 'zod';
import { diegoConfig } from './diego/diego.config.js';
import { RiveraError } from '#rivera/models';
import {
  authConfig,
  type ListenAddress,
  listenConfig,
  loadConfig,
  logConfig,
  redisConfig,
} from '#rivera/platform';

/** Everything the `bbs` reads from its environment; see docs/operations/configuration.md. */
export function loadBbsConfig(env?: NodeJS.ProcessEnv) {
  const config = loadConfig(
    {
      listen: listenConfig('BBS_LISTEN', '127.0.0.1:8889'),
      redis: redisConfig,
      auth: authConfig,
      log: logConfig,
      diego: diegoConfig,
      bbs: z
        .object({
          /** Diego renews every 5 s with a TTL of 15 s; a lost cell is noticed this long after it was last heard of. */
          PRESENCE_TTL_MS: z.coerce.number().int().min(1_000).default(10_000),
          /** Events kept per shard to resume from. */
          EVENTS_KEPT: z.coerce.number().int().min(100).default(4_000),
          /** Instances of one LRP, and of all, that are moved off cells at the same time. */
          EVACUATION_MAX_PER_LRP: z.coerce.number().int().min(1).default(10),
          EVACUATION_MAX_IN_FLIGHT: z.coerce.number().int().min(1).default(100),
          /** Where cells reach this very bbs; absent: where it listens. */
          BBS_ADVERTISED_URL: z.url({ protocol: /^https?$/ }).optional(),
          /** How long a cell may take to connect when it is wanted (logs, exec, stats). */
          SESSION_TIMEOUT_MS: z.coerce.number().int().min(100).default(10_000),
          /** How long the active auctioneer may take to answer. */
          AUCTIONEER_ASK_TIMEOUT_MS: z.coerce.number().int().min(100).default(25_000),
          /** Only operators are let in, so that nobody acts on a store that is being imported into. */
          BBS_RESTORE: z.stringbool().default(false),
          /** After SIGTERM it is not ready but serves for so long: more than a load balancer takes to notice. */
          SHUTDOWN_GRACE_MS: z.coerce.number().int().min(0).default(2_000),
          BODY_LIMIT_BYTES: z.coerce
            .number()
            .int()
            .min(65_536)
            .default(8 * 1024 * 1024),
        })
        .transform((bbs) => ({
          presenceTtlMs: bbs.PRESENCE_TTL_MS,
          eventsKept: bbs.EVENTS_KEPT,
          evacuation: {
            maxPerLRP: bbs.EVACUATION_MAX_PER_LRP,
            maxInFlight: bbs.EVACUATION_MAX_IN_FLIGHT,
          },
          shutdownGraceMs: bbs.SHUTDOWN_GRACE_MS,
          askTimeoutMs: bbs.AUCTIONEER_ASK_TIMEOUT_MS,
          isRestoring: bbs.BBS_RESTORE,
          bodyLimitBytes: bbs.BODY_LIMIT_BYTES,
          sessions: { advertisedUrl: bbs.BBS_ADVERTISED_URL, timeoutMs: bbs.SESSION_TIMEOUT_MS },
        })),
    },
    env,
  );
  requireOwnPort(config.listen, config.diego.wireListen);
  return config;
}

/** Whatever the addresses: who listens on all of them leaves no room for another on one of them. */
function requireOwnPort(listen: ListenAddress, wire: ListenAddress | undefined): void {
  if (listen.port !== wire?.port || wire.port === 0) return;
  const sentence = `DIEGO_WIRE_LISTEN and BBS_LISTEN have the same port, ${wire.port}; give each its own.`;
  throw new RiveraError('invalid-request', sentence);
}

export type BbsConfig = ReturnType<typeof loadBbsConfig>;
