import { spawn } from 'node:child_process';
import { access, readFile } from 'node:fs/promises';
import { delimiter } from 'node:path';
import { RiveraError } from '#rivera/models';
import type { EgressRule } from '../container.js';
import { egressFilter } from './egress.js';

/** Debian keeps iptables where an ordinary user's PATH does not look. */
const PATH = [process.env.PATH, '/usr/local/sbin', '/usr/sbin', '/sbin'].join(delimiter);
const PATIENCE_MS = 10_000;
const EXAMPLE: EgressRule[] = [
  { protocol: 'tcp', destinations: ['192.0.2.0/24'], ports: [{ start: 1, end: 2 }], log: true },
  { protocol: 'icmp', destinations: ['192.0.2.1'], icmp: { type: 8, code: 0 } },
];

/** What an agent can do in the namespaces of containers from outside. It must be root on the engine's host for that. */
export interface HostNamespaces {
  /** Rules for outgoing traffic can be set. */
  canFilter: boolean;
  /** … and connections logged. */
  canLog: boolean;
}

/** Finds out by trying, in a namespace made for it. Undefined: namespaces cannot be entered from here at all. */
export async function probeNamespaces(): Promise<HostNamespaces | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  if (!(await succeeds('nsenter', ['--uts=/proc/self/ns/uts', '--net=/proc/self/ns/net', '--', 'true']))) {
    return undefined;
  }
  const accepts = (canLog: boolean) =>
    succeeds('unshare', ['--net', '--', 'iptables-restore'], egressFilter(EXAMPLE, { canLog }));
  const canLog = await accepts(true);
  return { canLog, canFilter: canLog || (await accepts(false)) };
}

/** A process of a container, as the engine calls it. */
export interface ContainerPid {
  containerId: string;
  pid: number;
}

/** Holds whatever is, or will be, in the network of a container to rules. They last as long as the network does. */
export async function filterEgress(
  at: ContainerPid,
  rules: readonly EgressRule[],
  { canLog }: HostNamespaces,
): Promise<void> {
  await requireOurs(at);
  const filter = egressFilter(rules, { canLog });
  await run('nsenter', [`--net=/proc/${at.pid}/ns/net`, '--', 'iptables-restore', '--wait'], filter);
}

/** Names the host that the processes of a container see. One that has ended already does not ask any more. */
export async function setHostname(at: ContainerPid, hostname: string, busybox: string): Promise<void> {
  try {
    await requireOurs(at);
    await run('nsenter', [`--uts=/proc/${at.pid}/ns/uts`, '--', busybox, 'hostname', hostname]);
  } catch (error) {
    if (await isThere(at.pid)) throw error;
  }
}

/** Rejects with `unsupported` when a process of the engine is not to be seen from here; its cgroup tells. */
export async function requireOurs({ pid, containerId }: ContainerPid): Promise<void> {
  const cgroup = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
  if (cgroup.includes(containerId)) return;
  throw new RiveraError(
    'unsupported',
    'The Docker Engine runs elsewhere, or in another process namespace: run the agent on its host.',
  );
}

function isThere(pid: number): Promise<boolean> {
  return access(`/proc/${pid}/ns/uts`).then(
    () => true,
    () => false,
  );
}

async function succeeds(program: string, args: string[], input = ''): Promise<boolean> {
  try {
    await run(program, args, input);
    return true;
  } catch {
    return false;
  }
}

/** Rejects with what the program said when it failed. */
function run(program: string, args: string[], input = ''): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['pipe', 'ignore', 'pipe'],
      env: { PATH },
      timeout: PATIENCE_MS,
      killSignal: 'SIGKILL',
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-1_000)));
    // One that ends without reading says why by its exit status.
    child.stdin.on('error', () => undefined);
    child.once('error', reject);
    child.once('close', (status) => {
      if (status === 0) return resolve();
      const reason = said.trim() || `exit status ${status}`;
      reject(new RiveraError('internal', `${program} ${args.at(-1)} failed: ${reason}`));
    });
    child.stdin.end(input);
  });
}
