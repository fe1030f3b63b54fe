import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const START_DEADLINE_MS = 60_000;
const PORT_RETRY_MS = 200;

/** They end with this process, however it ends. */
const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((server) => server.kill('SIGKILL')));

export interface RedisHarness {
  readonly url: string;
  readonly port: number;
  /** SIGKILL, as a crash of the machine would look; resolves when the process is gone. */
  kill9(): Promise<void>;
  /** Freezes it, as a disk that does not answer does: with `appendfsync always` Redis waits for each flush. */
  pause(): void;
  resume(): void;
  /** Starts again on the same port and directory; what was not persisted is lost. */
  restart(): Promise<void>;
  /** Ends the server and removes the directory if it was made here. */
  stop(): Promise<void>;
}

/** What stores and buses are tested on; `RIVERA_TEST_REDIS` says which when a test does not. */
export type RedisKind = 'single' | 'cluster' | 'sentinel';

/**
 * A private redis-server on a free port of the loopback interface. Without `appendonly` nothing is persisted; with it
 * every write is (`appendfsync always`).
 */
export async function startRedis(
  options: { port?: number; dir?: string; appendonly?: boolean } = {},
): Promise<RedisHarness> {
  const port = options.port ?? (await freePort());
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'rivera-redis-')));
  let server = await launchRedis({ port, dir, appendonly: options.appendonly ?? false });

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const gone = once(server, 'exit');
    server.kill(signal);
    await gone;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    kill9: () => end('SIGKILL'),
    pause: () => server.kill('SIGSTOP'),
    resume: () => server.kill('SIGCONT'),
    restart: async () => {
      await end('SIGTERM');
      server = await launchRedis({ port, dir, appendonly: options.appendonly ?? false });
    },
    stop: async () => {
      await end('SIGKILL');
      if (!options.dir) await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A port nobody listens on right now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export interface LaunchOptions {
  port: number;
  dir: string;
  appendonly: boolean;
  /** More of the command line. */
  args?: string[];
}

/** Starts a redis-server and waits until it answers. It ends with this process. */
export async function launchRedis(options: LaunchOptions): Promise<ChildProcess> {
  const { port, dir, appendonly } = options;
  const args = ['--bind', '127.0.0.1', '--port', `${port}`, '--dir', dir, '--save', ''];
  args.push('--appendonly', appendonly ? 'yes' : 'no', '--appendfsync', 'always', ...(options.args ?? []));
  return await launchServer(port, args);
}

/**
 * The same with nothing but these arguments. Again while the port is taken: a child that was writing the file anew may
 * outlive a server that was killed.
 */
export async function launchServer(port: number, args: string[]): Promise<ChildProcess> {
  const deadline = performance.now() + START_DEADLINE_MS;
  for (;;) {
    try {
      return await launchOnce(port, args, deadline);
    } catch (error) {
      if (!String(error).includes('Address already in use') || performance.now() > deadline) throw error;
      await sleep(PORT_RETRY_MS);
    }
  }
}

async function launchOnce(port: number, args: string[], deadline: number): Promise<ChildProcess> {
  const server = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  server.stdout.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4_000)));
  server.stderr.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4_000)));
  server.on('error', (error) => (output += error.message));
  running.add(server);
  server.once('exit', () => running.delete(server));

  while (!(await answers(port)) || server.exitCode !== null) {
    if (server.pid === undefined || server.exitCode !== null || performance.now() > deadline) {
      server.kill('SIGKILL');
      throw new Error(`redis-server did not start on port ${port}; is it installed? It said:\n${output}`);
    }
    await sleep(20);
  }
  return server;
}

/** Whether a PING is answered by PONG, that is also: whether the data set is loaded. */
async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    socket.write('PING\r\n');
    const [reply] = (await once(socket, 'data')) as [Buffer];
    return reply.toString().startsWith('+PONG');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
