import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

/** One that has to look after the containers of its predecessor takes its time on a busy machine. */
const START_DEADLINE_MS = 180_000;
const STOP_DEADLINE_MS = 20_000;
/** Debian keeps dockerd and iptables where an ordinary user's PATH does not look. */
const PATH = [process.env.PATH, '/usr/local/sbin', '/usr/sbin', '/sbin'].join(delimiter);

export interface DockerEngineHarness {
  /** `unix:///…`, to be used as DOCKER_HOST. */
  readonly dockerHost: string;
  /** Ends it, or kills it; its containers end then or when it starts again. Only a private one. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Starts one that was ended, with what it had. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Whether this machine can run an engine of its own: dockerd is installed and we are root. */
export async function canStartDockerEngine(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  const tries = PATH.split(delimiter).map((directory) => access(join(directory, 'dockerd')));
  return (await Promise.allSettled(tries)).some(({ status }) => status === 'fulfilled');
}

/**
 * A Docker Engine for tests. With `RIVERA_TEST_DOCKER_HOST` set it is that one and `stop` leaves it alone; otherwise a
 * private dockerd with all its state in a temporary directory, so that several can run side by side.
 */
export async function startDockerEngine(): Promise<DockerEngineHarness> {
  const running = process.env.RIVERA_TEST_DOCKER_HOST;
  if (running) {
    const refuse = (): Promise<void> =>
      Promise.reject(new Error('This Docker Engine is not ours to restart.'));
    return { dockerHost: running, end: refuse, start: refuse, stop: () => Promise.resolve() };
  }

  // A short path: a unix socket's may not exceed 107 bytes, and containerd puts its own below this one.
  const directory = await mkdtemp(join(tmpdir(), 'rvdocker-'));
  const socketPath = join(directory, 'docker.sock');
  // No default bridge, because all engines would share docker0; networks come from a range of this engine's own.
  const subnet = 128 + Math.floor(Math.random() * 120);
  let engine = launch(directory, socketPath, subnet);
  const stop = async (): Promise<void> => {
    await removeNetworks(socketPath);
    await end(engine.process, directory);
  };

  const ready = async (): Promise<void> => {
    const deadline = performance.now() + START_DEADLINE_MS;
    while (!(await answers(socketPath))) {
      if (engine.process.exitCode !== null || engine.failed || performance.now() > deadline) {
        await stop();
        throw new Error(`dockerd did not start. The end of its log:\n${engine.output()}`);
      }
      await sleep(50);
    }
  };
  await ready();
  return {
    dockerHost: `unix://${socketPath}`,
    end: async (signal) => {
      const gone = once(engine.process, 'exit');
      engine.process.kill(signal);
      await gone;
      await endContainerd(directory);
    },
    start: () => {
      engine = launch(directory, socketPath, subnet);
      return ready();
    },
    stop,
  };
}

interface Engine {
  process: ChildProcess;
  failed?: Error;
  output(): string;
}

function launch(directory: string, socketPath: string, subnet: number): Engine {
  const args = [
    `--data-root=${join(directory, 'data')}`,
    `--exec-root=${join(directory, 'exec')}`,
    `--pidfile=${join(directory, 'pid')}`,
    `--host=unix://${socketPath}`,
    '--bridge=none',
    `--default-address-pool=base=10.${subnet}.0.0/16,size=22`,
    '--storage-driver=overlay2',
    '--shutdown-timeout=1',
  ];
  const child = spawn('dockerd', args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, PATH } });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-64_000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const engine: Engine = { process: child, output: () => output };
  child.on('error', (error) => (engine.failed = error));
  const stopWithUs = (): boolean => child.kill('SIGTERM');
  process.once('exit', stopWithUs);
  child.once('exit', () => process.off('exit', stopWithUs));
  return engine;
}

async function end(engine: ChildProcess, directory: string): Promise<void> {
  if (engine.pid !== undefined && engine.exitCode === null && engine.signalCode === null) {
    const gone = once(engine, 'exit');
    engine.kill('SIGTERM');
    const killer = setTimeout(() => engine.kill('SIGKILL'), STOP_DEADLINE_MS);
    await gone;
    clearTimeout(killer);
  }
  await killRest(directory);
  await unmountBelow(directory);
  await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

/**
 * An engine that is killed takes its containerd with it. Where nobody reaps that, its process id looks alive and the next
 * engine would wait for it.
 */
async function endContainerd(directory: string): Promise<void> {
  const pidFile = join(directory, 'exec/containerd/containerd.pid');
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => '0'));
  if (pid > 0) killQuietly(pid);
  await rm(pidFile, { force: true });
}

/** Ends containerd and the shims this engine left behind: they name its directory in their arguments. */
async function killRest(directory: string): Promise<void> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (Number(pid) === process.pid || !commandLine.includes(`${directory}/`)) continue;
    if (/^(\S*\/)?(containerd|containerd-shim\S*|docker-proxy)\0/.test(commandLine)) killQuietly(Number(pid));
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function unmountBelow(directory: string): Promise<void> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '');
  for (const mount of mounts.filter((path) => path.startsWith(`${directory}/`)).toReversed()) {
    await promisify(execFile)('umount', ['--lazy', mount]);
  }
}

/** Bridges and packet filter rules belong to the machine and would outlive the engine. */
async function removeNetworks(socketPath: string): Promise<void> {
  const containers = (await ask(socketPath, 'GET', '/containers/json?all=1')) ?? '[]';
  const ids = (JSON.parse(containers) as { Id: string }[]).map(({ Id }) => Id);
  await Promise.all(ids.map((id) => ask(socketPath, 'DELETE', `/containers/${id}?force=1&v=1`)));
  await ask(socketPath, 'POST', '/networks/prune');
}

async function answers(socketPath: string): Promise<boolean> {
  return (await ask(socketPath, 'GET', '/_ping')) !== undefined;
}

/** The body of a successful answer; undefined when there was none. */
function ask(socketPath: string, method: string, path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const asking = request({ socketPath, method, path, timeout: 20_000 }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve((response.statusCode ?? 500) < 300 ? body : undefined));
      response.on('error', () => resolve(undefined));
    });
    asking.on('timeout', () => asking.destroy());
    asking.on('error', () => resolve(undefined));
    asking.end();
  });
}
