import { access, constants, readFile, writeFile } from 'node:fs/promises';
import type { ContainerInspectInfo } from 'dockerode';
import { type PortMapping, RiveraError } from '#rivera/models';
import type { Sandbox, Sandboxes } from '../container.js';
import {
  dnsLabel,
  LABEL_OWNER,
  LABEL_SANDBOX,
  sandboxContainerName,
  sandboxOptions,
} from './container-options.js';
import { asking, askingUnless } from './engine-error.js';
import type { Engine } from './engine.js';
import { requireOurs } from './host-namespaces.js';
import type { HeldSandbox } from './held-sandbox.js';
import { startEngineContainer } from './start-container.js';

export interface NetworkSandboxesOptions {
  engine: Engine;
  owner: string;
  /** Name of the network they are on, and reference of an image with `/busybox`; both there when this resolves. */
  network(): Promise<string>;
  image(): Promise<string>;
  dns?: string[];
}

/**
 * Networks that wait for a container: each is a container of the engine that does nothing but hold it, with the owner in
 * a label of its own, so that it is never taken for one that was asked for.
 */
export class NetworkSandboxes implements Sandboxes {
  /**
   * Handle → the sandbox its container is in, or will be; from before the container is made until it is gone. Undefined:
   * it is known to be in none.
   */
  private readonly taken = new Map<string, string | undefined>();

  constructor(private readonly options: NetworkSandboxesOptions) {}

  async create(sandbox: Pick<Sandbox, 'name' | 'ports'> & { hostname?: string }): Promise<void> {
    const { engine, owner, dns } = this.options;
    const [network, image] = await Promise.all([this.options.network(), this.options.image()]);
    const what = `The network sandbox ${sandbox.name} could not be made`;
    const container = await asking(what, () =>
      engine.api.createContainer(sandboxOptions({ ...sandbox, owner, network, image, dns })),
    );
    try {
      await startEngineContainer(container, what);
      const held = heldSandbox(sandbox.name, await asking(what, () => container.inspect()));
      if (held !== undefined) await requireReach(held);
    } catch (error) {
      await this.destroy(sandbox.name);
      throw error;
    }
  }

  async list(): Promise<Sandbox[]> {
    const { engine, owner, dns } = this.options;
    const find = (label: string) =>
      asking('The network sandboxes could not be listed', () =>
        engine.api.listContainers({ all: true, filters: { label: [label] } }),
      );
    const holders = await find(`${LABEL_SANDBOX.owner}=${owner}`);
    const inside = holders.length === 0 ? [] : await find(`${LABEL_OWNER}=${owner}`);
    const taken = new Set([
      ...inside.map(({ Labels }) => Labels[LABEL_SANDBOX.name]),
      ...this.taken.values(),
    ]);
    return holders.map(({ Labels, State }) => {
      const name = Labels[LABEL_SANDBOX.name] ?? '';
      const isTaken = taken.has(name);
      // One that was made with other name servers is of no use to a container that is still to come.
      const isUsable = isTaken || Labels[LABEL_SANDBOX.dns] === dnsLabel(dns);
      return { name, ports: portsOfSandbox(Labels), isTaken, isRunning: State === 'running' && isUsable };
    });
  }

  async destroy(name: string): Promise<void> {
    const { engine, owner } = this.options;
    const container = engine.api.getContainer(sandboxContainerName(owner, name));
    await askingUnless([404, 409], `The network sandbox ${name} could not be removed`, () =>
      container.remove({ force: true, v: true }),
    );
  }

  /** It is a container's from here on. Undefined when it has gone, or no longer runs. */
  async take(name: string, handle: string): Promise<HeldSandbox | undefined> {
    this.taken.set(handle, name);
    const { engine, owner } = this.options;
    const info = await askingUnless([404], `The network sandbox ${name} could not be looked up`, () =>
      engine.api.getContainer(sandboxContainerName(owner, name)).inspect(),
    );
    const held = info && heldSandbox(name, info);
    if (held === undefined) await this.release(handle);
    return held;
  }

  /** The container of an earlier agent is in it. */
  hold(handle: string, name: string): void {
    this.taken.set(handle, name);
  }

  /** A container was made, in this one or in none. */
  note(handle: string, sandbox: HeldSandbox | undefined): void {
    this.taken.set(handle, sandbox?.name);
  }

  /** Whether it is known in which sandbox it is, if any. */
  knows(handle: string): boolean {
    return this.taken.has(handle);
  }

  /** The container is gone, and its sandbox goes. */
  async release(handle: string): Promise<void> {
    const name = this.taken.get(handle);
    if (name !== undefined) await this.destroy(name);
    this.taken.delete(handle);
  }
}

/** Rejects with `unsupported` where a container could not be put into it as it should be. */
async function requireReach(held: HeldSandbox): Promise<void> {
  await requireOurs(held);
  for (const file of Object.values(held.files)) {
    await access(file, constants.W_OK).catch(() => {
      throw new RiveraError(
        'unsupported',
        `The engine’s file ${file} cannot be written: run the agent on its host.`,
      );
    });
  }
}

function heldSandbox(name: string, info: ContainerInspectInfo): HeldSandbox | undefined {
  const { Id, State, Config, NetworkSettings, HostnamePath, HostsPath } = info;
  const address = Object.values(NetworkSettings.Networks)
    .map((network) => network.IPAddress)
    .find((found) => found !== '');
  if (!State.Running || address === undefined) return undefined;
  return {
    name,
    containerId: Id,
    pid: State.Pid,
    address,
    hostname: Config.Hostname,
    files: { hostname: HostnamePath, hosts: HostsPath },
  };
}

function portsOfSandbox(labels: Record<string, string>): PortMapping[] {
  return (labels[LABEL_SANDBOX.ports] ?? '')
    .split(',')
    .filter(Boolean)
    .map((pair) => {
      const [containerPort = 0, hostPort = 0] = pair.split(':').map(Number);
      return { containerPort, hostPort };
    });
}

/** The files of the engine that name the host, in every container of a sandbox. They are written in place. */
export async function renameHostFiles(
  { files, hostname: before }: HeldSandbox,
  hostname: string,
): Promise<void> {
  const hosts = await readFile(files.hosts, 'utf8');
  await writeFile(files.hosts, hosts.replaceAll(before, hostname));
  await writeFile(files.hostname, `${hostname}\n`);
}
