import { z } from 'zod';
import { healthListen, loadConfig, logConfig, redisConfig } from '#rivera/platform';

/** Everything the `converger` reads from its environment; see docs/operations/configuration.md. */
export function loadConvergerConfig(env?: NodeJS.ProcessEnv) {
  return loadConfig(
    {
      redis: redisConfig,
      log: logConfig,
      health: healthListen,
      converger: z
        .object({
          LEASE_TTL_MS: z.coerce.number().int().min(1_000).default(6_000),
          /** The rolling audit looks at every shard once in this time. */
          AUDIT_PERIOD_MS: z.coerce.number().int().min(1_000).default(30_000),
          /** And reads everything in it once in this time, also when nothing has changed. */
          AUDIT_THOROUGH_MS: z.coerce.number().int().min(1_000).default(1_800_000),
          /** After the store was away, cells get this long to renew their presence before any counts as lost. */
          PRESENCE_GRACE_MS: z.coerce.number().int().min(0).default(10_000),
          /** Safety stop: more lost cells than this within the window look like a fault of the network. 100 = no limit. */
          CELL_LOSS_PERCENT: z.coerce.number().int().min(0).max(100).default(50),
          CELL_LOSS_MIN: z.coerce.number().int().min(0).default(2),
          CELL_LOSS_WINDOW_MS: z.coerce.number().int().min(0).default(60_000),
          /** Records that a migration of the store writes in a new form each second, at most. */
          MIGRATION_RECORDS_PER_S: z.coerce.number().int().min(1).default(2_000),
          /** Events older than this are trimmed from the log. */
          EVENT_RETENTION_MS: z.coerce.number().int().min(60_000).default(3_600_000),
        })
        .transform((converger) => ({
          leaseTtlMs: converger.LEASE_TTL_MS,
          auditPeriodMs: converger.AUDIT_PERIOD_MS,
          migration: { recordsPerSecond: converger.MIGRATION_RECORDS_PER_S },
          cellLoss: {
            presenceGraceMs: converger.PRESENCE_GRACE_MS,
            limits: {
              percent: converger.CELL_LOSS_PERCENT,
              minCells: converger.CELL_LOSS_MIN,
              windowMs: converger.CELL_LOSS_WINDOW_MS,
            },
          },
          audit: {
            eventRetentionMs: converger.EVENT_RETENTION_MS,
            thoroughRounds: Math.max(1, Math.floor(converger.AUDIT_THOROUGH_MS / converger.AUDIT_PERIOD_MS)),
          },
        })),
    },
    env,
  );
}

export type ConvergerConfig = ReturnType<typeof loadConvergerConfig>;
