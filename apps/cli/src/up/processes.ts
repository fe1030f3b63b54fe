import { existsSync, statfsSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';

import type { EnginePlan } from './engine.js';
import { findProvided, type Layout } from './layout.js';
import { nodeOf } from './node-of.js';
import type { Ports } from './ports.js';
import type { RedisPlan } from './redis.js';
import type { Secrets, Tokens } from './secrets.js';
import type { Program } from './supervisor.js';

/** A program of the cluster and where it says that it is ready. */
export interface ClusterProgram extends Program {
  readyUrl: string;
}

export interface CellProgram extends ClusterProgram {
  cellId: string;
}

export interface ControlPlaneInput {
  layout: Layout;
  secrets: Secrets;
  redis: RedisPlan;
  bbsPort: number;
  ports: Ports;
}

export interface CellsInput extends ControlPlaneInput {
  tokens: Tokens;
  engine: EnginePlan;
  cellIds: readonly string[];
}

/** Only the control plane may know these. */
const NOT_FOR_CELLS = ['REDIS_URL', 'STORE_REDIS_URL', 'JWT_SECRET', 'JWT_SECRET_FILE'];

export function cellIdsOf(cells: number): string[] {
  return Array.from({ length: cells }, (_, index) => `cell-${index + 1}`);
}

export function apiUrl(bbsPort: number): string {
  return `http://127.0.0.1:${bbsPort}`;
}

/** The base root file system that `docker/setup.sh` makes. */
export function baseRootfs(layout: Layout): string | undefined {
  return findProvided(layout, 'rootfs/base.tar');
}

/** The same programs that a production deployment runs, with what they need to find each other; bbs first. */
export async function planControlPlane({
  layout,
  secrets,
  redis,
  bbsPort,
  ports,
}: ControlPlaneInput): Promise<ClusterProgram[]> {
  const env = { STORE_REDIS_URL: redis.storeUrl, BUS_REDIS_URL: redis.busUrl };
  const bbsEnv = {
    BBS_LISTEN: `127.0.0.1:${bbsPort}`,
    JWT_SECRET_FILE: secrets.secretFile,
    JWT_SECRET: undefined,
  };
  return [
    programOf(layout, { name: 'bbs', port: bbsPort, env: { ...env, ...bbsEnv } }),
    programOf(layout, { name: 'auctioneer', port: await ports.free(), env }),
    programOf(layout, { name: 'converger', port: await ports.free(), env }),
  ];
}

export function planCells(input: CellsInput): Promise<CellProgram[]> {
  const { layout, ports, cellIds } = input;
  return Promise.all(
    cellIds.map(async (cellId, index) => {
      const env = cellEnvironment(input, cellId, index);
      return { ...programOf(layout, { name: cellId, app: 'cell', port: await ports.free(), env }), cellId };
    }),
  );
}

interface ProgramRequest {
  name: string;
  app?: string;
  /** Of its health checks. */
  port: number;
  env: NodeJS.ProcessEnv;
}

function programOf(layout: Layout, { name, app = name, port, env }: ProgramRequest): ClusterProgram {
  const node = nodeOf(app);
  return {
    name,
    command: process.execPath,
    args: [...node.args, join(layout.project, 'dist', 'apps', app, 'src', 'main.js')],
    // The bbs answers for its health beside its API.
    env: {
      ...process.env,
      ...node.env,
      ...env,
      HEALTH_LISTEN: name === 'bbs' ? undefined : `127.0.0.1:${port}`,
    },
    logFile: join(layout.logs, `${name}.log`),
    stopWithinMs: app === 'cell' ? 6_000 : 3_000,
    readyUrl: `http://127.0.0.1:${port}/readyz`,
  };
}

function cellEnvironment(input: CellsInput, cellId: string, index: number): NodeJS.ProcessEnv {
  const { layout, secrets, tokens, redis, engine, bbsPort, cellIds } = input;
  const rootfs = baseRootfs(layout) ?? join(layout.state, 'rootfs', 'base.tar');
  // A fake container needs no files, only the name.
  const hasRootfs = engine.backend === 'fake' || existsSync(rootfs);
  return {
    ...Object.fromEntries(NOT_FOR_CELLS.map((name) => [name, undefined])),
    CELL_ID: cellId,
    CELL_ZONE: index % 2 === 0 ? 'z1' : 'z2',
    CELL_ADDRESS: '127.0.0.1',
    CELL_OWNER: `${secrets.clusterId}/${cellId}`,
    CELL_BACKEND: engine.backend,
    CELL_DATA_DIR: join(layout.state, 'cells', cellId),
    RIVERA_API: apiUrl(bbsPort),
    RIVERA_TOKEN: tokens.cells[cellId],
    BUS_REDIS_URL: redis.cellBusUrl(cellId),
    PRELOADED_ROOTFS: hasRootfs ? `base=${rootfs}` : undefined,
    SANDBOX_INIT: findProvided(layout, 'bin/busybox'),
    DOCKER_HOST: engine.dockerHost,
    ...shareOfHost(layout, cellIds.length),
  };
}

/** Cells on one machine share it; each would count all of it as its own. */
function shareOfHost({ state }: Layout, cells: number): NodeJS.ProcessEnv {
  const { bavail, bsize } = statfsSync(state);
  const share = (bytes: number): string => String(Math.floor(bytes / cells / 1024 ** 2));
  const { CELL_MEMORY_MB = share(totalmem()), CELL_DISK_MB = share(bavail * bsize) } = process.env;
  return { CELL_MEMORY_MB, CELL_DISK_MB };
}
