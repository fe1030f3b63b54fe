import { execFileSync, type StdioOptions } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { networkInterfaces } from 'node:os';

import { answers, type HttpAnswer, httpRequest } from './http-request.js';
import type { Layout } from './layout.js';
import type { Program } from './supervisor.js';
import { kill, pidIn, processes, type ProcessEntry } from './process-table.js';
import { findProgram } from './tools.js';
import { waitFor } from './wait.js';

/**
 * A Docker Engine of the cluster's own: own data, socket, bridge and addresses, so that it disturbs no other. Its data
 * lies in the state directory; its sockets in `/run`, because the path of a socket may have only some 100 bytes.
 */
export class PrivateEngine {
  static readonly programName = 'dockerd';

  /** `DOCKER_HOST`. */
  readonly host: string;
  private readonly runFolder: string;
  private readonly socket: string;
  private readonly execRoot: string;
  private readonly pidFile: string;
  private readonly bridge: string;

  constructor(
    private readonly layout: Layout,
    clusterId: string,
  ) {
    this.runFolder = `/run/rivera-${clusterId}`;
    this.socket = join(this.runFolder, 'docker.sock');
    this.execRoot = join(this.runFolder, 'exec');
    this.pidFile = join(this.runFolder, 'docker.pid');
    this.host = `unix://${this.socket}`;
    // Names of network interfaces have at most 15 characters.
    this.bridge = `rv-${clusterId.slice(0, 8)}`;
  }

  /** Why there can be no such engine on this machine; undefined when there can. */
  static obstacle(): string | undefined {
    if (process.platform !== 'linux') return 'no Docker Engine answers';
    if (process.getuid?.() !== 0) return 'no Docker Engine answers, and only root can start one';
    const missing = ['dockerd', 'ip', 'iptables'].filter((name) => findProgram(name) === undefined);
    return missing.length === 0
      ? undefined
      : `no Docker Engine answers, and ${missing.join(', ')} is not installed`;
  }

  /** Makes the bridge; the program to supervise. */
  prepare(): Program {
    const dataRoot = join(this.layout.state, 'docker', 'data');
    for (const folder of [dataRoot, this.runFolder]) mkdirSync(folder, { recursive: true, mode: 0o711 });
    const network = this.provideBridge();
    // A second engine that sets up iptables takes the port forwarding of the first away.
    const isAlone = !processes().some(({ name }) => name === 'dockerd');
    const forwarding = isAlone ? ['--userland-proxy=false'] : ['--iptables=false'];
    return {
      name: PrivateEngine.programName,
      command: findProgram('dockerd') ?? 'dockerd',
      args: [
        ['--data-root', dataRoot, '--exec-root', this.execRoot],
        ['--pidfile', this.pidFile, '--host', this.host],
        ['--bridge', this.bridge, '--default-address-pool', `base=${network}.128.0/17,size=20`],
        ['--live-restore', '--shutdown-timeout', '3', '--log-level', 'warn'],
        forwarding,
      ].flat(),
      env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin` },
      logFile: join(this.layout.logs, 'dockerd.log'),
      beforeStart: () => this.clearPidFiles(),
      stopWithinMs: 5_000,
    };
  }

  async answers(): Promise<boolean> {
    return answers({ socketPath: this.socket, path: '/_ping' });
  }

  /** Removes all containers and networks: with `--live-restore` they would outlive the engine. */
  async removeContainers(): Promise<void> {
    // It may be starting again at the moment.
    await waitFor(() => this.answers(), { signal: AbortSignal.timeout(10_000), withinMs: 5_000 });
    const listed = await this.ask('GET', '/containers/json?all=true');
    if (listed?.status !== 200) return;
    const containers = JSON.parse(listed.body) as { Id: string }[];
    await Promise.all(containers.map(({ Id }) => this.ask('DELETE', `/containers/${Id}?force=true&v=true`)));
    await this.ask('POST', '/networks/prune');
  }

  /** Removes what the engine leaves behind after it ended: the bridge; when it was killed, containers and mounts. */
  cleanUp(): void {
    for (const shim of this.shims()) {
      // The first process of a container is a child of its shim, and takes the whole container along.
      [...processes().filter(({ parent }) => parent === shim.pid), shim].forEach(({ pid }) => kill(pid));
    }
    const folders = [join(this.layout.state, 'docker', 'data'), this.execRoot];
    for (const mountPoint of mountPoints().toReversed()) {
      if (folders.some((folder) => mountPoint === folder || mountPoint.startsWith(`${folder}/`))) {
        quietly('umount', '-l', mountPoint);
      }
    }
    quietly('ip', 'link', 'delete', this.bridge);
    rmSync(this.runFolder, { recursive: true, force: true });
  }

  /**
   * An engine that was killed leaves pid files, its own and that of its containerd. Its successor would wait for those
   * processes, which are gone or waiting to be reaped.
   */
  private clearPidFiles(): void {
    const ofContainerd = join(this.execRoot, 'containerd', 'containerd.pid');
    const containerd = processes().find(
      ({ pid, name }) => name === 'containerd' && pid === pidIn(ofContainerd),
    );
    if (containerd !== undefined) kill(containerd.pid);
    for (const file of [ofContainerd, this.pidFile]) rmSync(file, { force: true });
  }

  private shims(): ProcessEntry[] {
    return processes().filter(
      ({ name, commandLine }) => name.startsWith('containerd-shim') && commandLine.includes(this.execRoot),
    );
  }

  private ask(method: string, path: string): Promise<HttpAnswer | undefined> {
    return httpRequest({ socketPath: this.socket, method, path, timeout: 10_000 });
  }

  /** @returns the first two bytes of the cluster's addresses, e.g. `10.201` */
  private provideBridge(): string {
    // Not networkInterfaces(): it leaves out bridges that nothing is connected to.
    const existing = /inet (\d+\.\d+)\./.exec(
      quietly('ip', '-4', 'address', 'show', 'dev', this.bridge) ?? '',
    );
    if (existing?.[1] !== undefined) return existing[1];
    const network = freeNetwork();
    quietly('ip', 'link', 'delete', this.bridge);
    run('ip', 'link', 'add', this.bridge, 'type', 'bridge');
    run('ip', 'address', 'add', `${network}.0.1/20`, 'dev', this.bridge);
    run('ip', 'link', 'set', this.bridge, 'up');
    return network;
  }
}

/** A private /16 that no address and no route of this machine is in. */
function freeNetwork(): string {
  const used = new Set<string>();
  const take = (address: string): unknown => used.add(address.split('.').slice(0, 2).join('.'));
  for (const addresses of Object.values(networkInterfaces()))
    addresses?.forEach(({ address }) => take(address));
  for (const line of readFileSync('/proc/net/route', 'utf8').split('\n').slice(1)) {
    const destination = line.split('\t')[1];
    // Four bytes in hexadecimal, the last one first.
    if (destination) take(Buffer.from(destination, 'hex').toReversed().join('.'));
  }
  for (let second = 201; second < 255; second += 1) {
    if (!used.has(`10.${second}`)) return `10.${second}`;
  }
  throw new Error('All private networks 10.201 to 10.254 are in use; set DOCKER_HOST to an engine you have.');
}

function mountPoints(): string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return lines.flatMap((line) => line.split(' ')[4] ?? []);
}

function run(program: string, ...args: string[]): string {
  const stdio: StdioOptions = ['ignore', 'pipe', 'pipe'];
  return execFileSync(findProgram(program) ?? program, args, { encoding: 'utf8', stdio });
}

/** For what may not be there; undefined when it is not. */
function quietly(program: string, ...args: string[]): string | undefined {
  try {
    return run(program, ...args);
  } catch {
    return undefined;
  }
}
