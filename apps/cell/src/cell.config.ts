import { hostname } from 'node:os';
import { z } from 'zod';
import { healthListen, loadConfig, logConfig, redisUrl } from '#rivera/platform';
import { containerConfig } from './container.config.js';
import { list, map, optionalSize, urls } from './config-types.js';

/** `name=count,name=count` */
const counts = map.transform((pairs, context) => {
  const all = Object.entries(pairs).map(([name, count]) => ({ name, count: Number(count) }));
  if (all.every(({ count }) => Number.isInteger(count) && count >= 1)) return all;
  context.addIssue({ code: 'custom', message: 'name=count pairs, separated by commas; counts from 1 on' });
  return z.NEVER;
});

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
          /** Of the fake backend: a file that keeps its containers, so that they outlive the agent. */
          CELL_FAKE_MACHINE: z.string().min(1).optional(),
          /** Absent: what the engine or the host has. */
          CELL_MEMORY_MB: optionalSize,
          CELL_DISK_MB: optionalSize,
          CELL_CONTAINERS: optionalSize,
          CELL_PLACEMENT_TAGS: list,
          CELL_OPTIONAL_PLACEMENT_TAGS: list,
          /** Label → value: rack, kind of disk, … */
          CELL_LABELS: map,
          CELL_POOL: z.string().min(1).optional(),
          /** Absent: any number of containers may start at the same time. */
          CELL_MAX_STARTING: z.coerce.number().int().min(1).optional(),
          /** Absent: not counted. */
          CELL_CPU_MILLICORES: optionalSize,
          CELL_PORTS: optionalSize,
          /** Device → count. */
          CELL_DEVICES: counts,
          /** Stack → path of a root filesystem tar. */
          PRELOADED_ROOTFS: map,
          /** A static busybox: the idle process of containers that run several things. */
          SANDBOX_INIT: z.string().default('/bin/busybox'),
          /** Of each bbs, separated by commas. */
          RIVERA_API: urls,
          RIVERA_TOKEN: z.string().min(1),
          BUS_REDIS_URL: redisUrl,
          /** Memory for the newest lines of each container. */
          LOG_RING_BYTES: z.coerce
            .number()
            .int()
            .min(4_096)
            .default(256 * 1024),
          /** Everything is compared with the store this often, whatever messages said. */
          SYNC_INTERVAL_MS: z.coerce.number().int().min(1_000).default(30_000),
          /** A container is made, run and destroyed this often, to see whether that can be done. 0: never. */
          SELF_CHECK_INTERVAL_MS: z.coerce.number().int().min(0).default(600_000),
          SELF_CHECK_TIMEOUT_MS: z.coerce.number().int().min(1).default(120_000),
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
          fakeMachine: cell.CELL_FAKE_MACHINE,
          capacity: {
            ...(cell.CELL_MEMORY_MB === undefined ? {} : { memoryMb: cell.CELL_MEMORY_MB }),
            ...(cell.CELL_DISK_MB === undefined ? {} : { diskMb: cell.CELL_DISK_MB }),
            ...(cell.CELL_CONTAINERS === undefined ? {} : { containers: cell.CELL_CONTAINERS }),
          },
          limits: {
            ...(cell.CELL_CPU_MILLICORES !== undefined && { cpuMillicores: cell.CELL_CPU_MILLICORES }),
            ...(cell.CELL_PORTS !== undefined && { ports: cell.CELL_PORTS }),
            ...(cell.CELL_DEVICES.length > 0 && { devices: cell.CELL_DEVICES }),
          },
          placementTags: cell.CELL_PLACEMENT_TAGS,
          optionalPlacementTags: cell.CELL_OPTIONAL_PLACEMENT_TAGS,
          labels: cell.CELL_LABELS,
          pool: cell.CELL_POOL,
          maxStarting: cell.CELL_MAX_STARTING,
          stacks: cell.PRELOADED_ROOTFS,
          sandboxInit: cell.SANDBOX_INIT,
          api: cell.RIVERA_API,
          token: cell.RIVERA_TOKEN,
          busUrl: cell.BUS_REDIS_URL,
          logRingBytes: cell.LOG_RING_BYTES,
          syncIntervalMs: cell.SYNC_INTERVAL_MS,
          selfCheck: { intervalMs: cell.SELF_CHECK_INTERVAL_MS, timeoutMs: cell.SELF_CHECK_TIMEOUT_MS },
          drainOnStopMs: cell.DRAIN_ON_STOP_MS,
        })),
      containers: containerConfig,
    },
    env,
  );
}

export type CellConfig = ReturnType<typeof loadCellConfig>['cell'];
export type ContainerConfig = ReturnType<typeof loadCellConfig>['containers'];
