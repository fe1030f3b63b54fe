import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { count, list, map, portList, portRange } from './config-types.js';

const MEBIBYTE = 1024 * 1024;
/** More at the same time only make each slower. */
const ENGINE_WORKERS = Math.max(4, 2 * availableParallelism());

/** What the operator decides for all containers of a cell; the defaults are Diego's where it has them. */
export const containerConfig = z
  .object({
    CREATE_WORKERS: count(1, ENGINE_WORKERS),
    DELETE_WORKERS: count(1, ENGINE_WORKERS),
    DOWNLOAD_WORKERS: count(1, 5),
    UPLOAD_WORKERS: count(1, 5),
    GRACE_MS: count(0, 10_000),
    HEALTHY_INTERVAL_MS: count(1, 30_000),
    UNHEALTHY_INTERVAL_MS: count(1, 2_000),
    /** A placement that the store has not confirmed is forgotten after this. */
    RESERVATION_TTL_MS: count(1, 60_000),
    /** Lines one container may write in a second before it is silenced for one; 0 = unlimited. */
    LOG_LINES_PER_SECOND: count(0, 5_000),
    /** Processes of a container that does not say how many it wants; 0 = unlimited. */
    DEFAULT_MAX_PIDS: count(0, 1_024),
    /** Microseconds of processor time per share in each 100 ms; 0 = as much as is idle. */
    CPU_QUOTA_PER_SHARE_US: count(0, 0),
    DOWNLOAD_CACHE_MB: count(0, 10_240),
    /** Filled to this share, the engine's disk is freed of images that were pulled, down to the other. */
    IMAGES_COLLECT_FROM_PERCENT: z.coerce.number().min(0).max(100).default(85),
    IMAGES_COLLECT_TO_PERCENT: z.coerce.number().min(0).max(100).default(75),
    /** Of one download or upload. */
    MAX_TRANSFER_MB: count(1, 4_096),
    HOST_PORTS: portRange.default({ first: 61_001, last: 65_534 }),
    /** Volume driver → directory whose subdirectories are its volumes. */
    VOLUME_DRIVERS: map,
    TRUSTED_CERTIFICATES_DIR: z.string().optional(),
    /** PEM files of the authority that signs certificates of instances; none: instances get none. */
    INSTANCE_CA_CERT_FILE: z.string().optional(),
    INSTANCE_CA_KEY_FILE: z.string().optional(),
    INSTANCE_CERT_VALIDITY_MS: count(1_000, 86_400_000),
    /** Networks that wait for the next containers; 0 = none are made ahead. */
    WARM_SANDBOXES: count(0, 0),
    /** Container ports of the first of them; later ones have those that containers asked for. */
    WARM_SANDBOX_PORTS: portList('8080'),
    /** Name servers of containers; none: the engine's. */
    CONTAINER_DNS: list,
  })
  .refine(
    (config) => (config.INSTANCE_CA_CERT_FILE === undefined) === (config.INSTANCE_CA_KEY_FILE === undefined),
    { path: ['INSTANCE_CA_KEY_FILE'], message: 'needed together with INSTANCE_CA_CERT_FILE' },
  )
  .transform((config) => ({
    ...(config.INSTANCE_CA_CERT_FILE !== undefined &&
      config.INSTANCE_CA_KEY_FILE !== undefined && {
        authority: {
          certFile: config.INSTANCE_CA_CERT_FILE,
          keyFile: config.INSTANCE_CA_KEY_FILE,
          validityMs: config.INSTANCE_CERT_VALIDITY_MS,
        },
      }),
    createWorkers: config.CREATE_WORKERS,
    deleteWorkers: config.DELETE_WORKERS,
    downloadWorkers: config.DOWNLOAD_WORKERS,
    uploadWorkers: config.UPLOAD_WORKERS,
    cacheBytes: config.DOWNLOAD_CACHE_MB * MEBIBYTE,
    images: {
      fromPercent: config.IMAGES_COLLECT_FROM_PERCENT,
      toPercent: Math.min(config.IMAGES_COLLECT_FROM_PERCENT, config.IMAGES_COLLECT_TO_PERCENT),
    },
    hostPorts: config.HOST_PORTS,
    volumes: config.VOLUME_DRIVERS,
    dns: config.CONTAINER_DNS,
    warm: { size: config.WARM_SANDBOXES, firstPorts: config.WARM_SANDBOX_PORTS },
    policy: {
      graceMs: config.GRACE_MS,
      intervals: { healthyMs: config.HEALTHY_INTERVAL_MS, unhealthyMs: config.UNHEALTHY_INTERVAL_MS },
      reservationTtlMs: config.RESERVATION_TTL_MS,
      logLinesPerSecond: config.LOG_LINES_PER_SECOND,
      defaultMaxPids: config.DEFAULT_MAX_PIDS,
      cpuQuotaPerShareUs: config.CPU_QUOTA_PER_SHARE_US,
      maxTransferBytes: config.MAX_TRANSFER_MB * MEBIBYTE,
      ...(config.TRUSTED_CERTIFICATES_DIR === undefined
        ? {}
        : { trustedCertificatesDirectory: config.TRUSTED_CERTIFICATES_DIR }),
    },
  }));
