import { hostname } from 'node:os';
import { z } from 'zod';
import { healthListen, loadConfig, logConfig } from '#rivera/platform';
import { containerConfig } from './container.config.js';
import { list, map, optionalSize } from './config-types.js';

/** Everything the cell agent reads from its environment; see docs/operations/configuration.md. */
export function loadCellConfig(env?: NodeJS.ProcessEnv) {
  return loadConfig(
    {
      log: logConfig,
      health: healthListen,
      cell: z
        .object({
          CELL_ID: z.string().min(1).default(hostname()),
          /** Marks this cell's containers on the engine. Differs from the cell id where clusters share an engine. */
          CELL_OWNER: z.string().optional(),
          CELL_ZONE: z.string().min(1).default('z1'),
          /** Where the ports of its containers are reached. */
          CELL_ADDRESS: z.string().min(1).default('127.0.0.1'),
          CELL_BACKEND: z.enum(['docker', 'process', 'fake']).default('docker'),
          CELL_DATA_DIR: z.string().default('.rivera/cell'),
          /** Absent: what the engine or the host has. */
          CELL_MEMORY_MB: optionalSize,
          CELL_DISK_MB: optionalSize,
          CELL_CONTAINERS: optionalSize,
          CELL_PLACEMENT_TAGS: list,
          CELL_OPTIONAL_PLACEMENT_TAGS: list,
          /** Stack → path of a root filesystem tar. */
          PRELOADED_ROOTFS: map,
          /** A static busybox: the idle process of containers that run several things. */
          SANDBOX_INIT: z.string().default('/bin/busybox'),
          RIVERA_API: z.url(),
          RIVERA_TOKEN: z.string().min(1),
          BUS_REDIS_URL: z.string().min(1),
          /** Memory for the newest lines of each container. */
          LOG_RING_BYTES: z.coerce
            .number()
            .int()
            .min(4_096)
            .default(256 * 1024),
          /** Everything is compared with the store this often, whatever messages said. */
          SYNC_INTERVAL_MS: z.coerce.number().int().min(1_000).default(30_000),
          /** On SIGTERM the cell is drained first, at most this long. 0: containers are left for the next agent. */
          DRAIN_ON_STOP_MS: z.coerce.number().int().min(0).default(0),
        })
        .transform((cell) => ({
          cellId: cell.CELL_ID,
          owner: cell.CELL_OWNER ?? cell.CELL_ID,
          zone: cell.CELL_ZONE,
          address: cell.CELL_ADDRESS,
          backend: cell.CELL_BACKEND,
          dataDir: cell.CELL_DATA_DIR,
          capacity: {
            ...(cell.CELL_MEMORY_MB === undefined ? {} : { memoryMb: cell.CELL_MEMORY_MB }),
            ...(cell.CELL_DISK_MB === undefined ? {} : { diskMb: cell.CELL_DISK_MB }),
            ...(cell.CELL_CONTAINERS === undefined ? {} : { containers: cell.CELL_CONTAINERS }),
          },
          placementTags: cell.CELL_PLACEMENT_TAGS,
          optionalPlacementTags: cell.CELL_OPTIONAL_PLACEMENT_TAGS,
          stacks: cell.PRELOADED_ROOTFS,
          sandboxInit: cell.SANDBOX_INIT,
          api: cell.RIVERA_API,
          token: cell.RIVERA_TOKEN,
          busUrl: cell.BUS_REDIS_URL,
          logRingBytes: cell.LOG_RING_BYTES,
          syncIntervalMs: cell.SYNC_INTERVAL_MS,
          drainOnStopMs: cell.DRAIN_ON_STOP_MS,
        })),
      containers: containerConfig,
    },
    env,
  );
}

export type CellConfig = ReturnType<typeof loadCellConfig>['cell'];
export type ContainerConfig = ReturnType<typeof loadCellConfig>['containers'];
