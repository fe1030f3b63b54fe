import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

import { findProvided, type Layout } from './layout.js';
import type { Ports } from './ports.js';
import { redisAcl } from './redis-acl.js';
import type { Secrets } from './secrets.js';
import type { Program } from './supervisor.js';
import { findProgram } from './tools.js';

/** Where the programs find Redis. */
export interface RedisPlan {
  storeUrl: string;
  busUrl: string;
  /** The bus as one cell sees it: its own user, its own mailbox. */
  cellBusUrl: (cellId: string) => string;
  /** The cluster's own server; absent when `REDIS_URL` and the like name others. */
  own?: { program: Program; port: number; password: string };
}

export interface RedisInput {
  layout: Layout;
  secrets: Secrets;
  ports: Ports;
  cellIds: readonly string[];
}

/** The access rules of the cells need Redis 7. */
const OLDEST_VERSION = 7;

/** Redis as the environment says, else an own server on a loopback port, its data in `<state>/redis`. */
export async function planRedis({ layout, secrets, ports, cellIds }: RedisInput): Promise<RedisPlan> {
  const { env } = process;
  const storeUrl = env['STORE_REDIS_URL'] || env['REDIS_URL'];
  const busUrl = env['BUS_REDIS_URL'] || env['REDIS_URL'];
  if (storeUrl && busUrl) return { storeUrl, busUrl, cellBusUrl: () => busUrl };

  const folder = join(layout.state, 'redis');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const port = await ports.kept(join(folder, 'port'));
  const aclFile = join(folder, 'users.acl');
  const user = (name: string) => ({ name, password: secrets.password(name) });
  const cells = cellIds.map((cellId) => ({ ...user(cellId), cellId }));
  writeFileSync(aclFile, redisAcl(user('default'), cells), { mode: 0o600 });

  const urlOf = (name: string): string => `redis://${name}:${secrets.password(name)}@127.0.0.1:${port}`;
  return {
    storeUrl: storeUrl || urlOf('default'),
    busUrl: busUrl || urlOf('default'),
    cellBusUrl: (cellId) => busUrl || urlOf(cellId),
    own: {
      port,
      password: secrets.password('default'),
      program: {
        name: 'redis',
        command: findServer(layout),
        args: serverOptions({ port, folder, aclFile }),
        env: process.env,
        logFile: join(layout.logs, 'redis.log'),
        stopWithinMs: 3_000,
      },
    },
  };
}

/** Whether the server answers and has read its data. */
export function redisAnswers({ port, password }: { port: number; password: string }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`AUTH default ${password}\r\nPING\r\n`));
    let heard = '';
    const end = (): void => {
      socket.destroy();
      resolve(heard.includes('+PONG'));
    };
    socket.setTimeout(1_000, end);
    socket.on('error', end).on('end', end);
    socket.on('data', (chunk) => {
      heard += chunk.toString();
      if (heard.split('\r\n').length > 2) end();
    });
  });
}

/** `appendfsync always`: what the API acknowledged survives a crash of everything. */
function serverOptions({
  port,
  folder,
  aclFile,
}: {
  port: number;
  folder: string;
  aclFile: string;
}): string[] {
  return [
    ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--aclfile', aclFile],
    ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''],
    ['--maxmemory-policy', 'noeviction', '--daemonize', 'no'],
  ].flat();
}

function findServer(layout: Layout): string {
  const candidates = [
    findProvided(layout, 'bin/redis-server'),
    findProgram('redis-server'),
    findProgram('valkey-server'),
  ];
  const server = candidates.find((file) => file !== undefined && versionOf(file) >= OLDEST_VERSION);
  if (server !== undefined) return server;
  throw new Error(
    `There is no Redis server of version ${OLDEST_VERSION} or newer. Run \`npm run setup\`, install redis-server, or set REDIS_URL to a Redis you have.`,
  );
}

/** The major version; 0 when the program says nothing of the kind. */
function versionOf(server: string): number {
  try {
    return Number(/v=(\d+)/.exec(execFileSync(server, ['--version'], { encoding: 'utf8' }))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
