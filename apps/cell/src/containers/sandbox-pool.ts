import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerInfo, Sandbox, Sandboxes } from '#rivera/garden';
import { type PortMapping, RiveraError } from '#rivera/models';
import type { RiveraLogger } from '#rivera/platform';
import { messageOf } from '../executor/step.js';
import type { PortPool } from './port-pool.js';

/** Making a network takes the engine as long as starting a container, so it is left until no container wants to start. */
const QUIET_MS = 1_000;
/** On a cell where containers start all the time, a network is made all the same after so long. */
const PATIENCE_MS = 15_000;
const RETRY_MS = 5_000;

export interface SandboxPoolOptions {
  /** Absent: the backend has none, and nothing is kept. */
  sandboxes?: Sandboxes;
  /** How many wait at most; 0 = none. */
  size: number;
  /** Container ports of those that are made before anything is known of the containers that will come. */
  firstPorts: number[];
  ports: PortPool;
  logger: RiveraLogger;
  quietMs?: number;
  retryMs?: number;
}

/**
 * Networks that wait for the next containers. The ports of a network are those it was made with, so what the last
 * containers asked for foretells what the next will: of the last `size` requests, each has one waiting.
 */
export class SandboxPool {
  private readonly free = new Map<string, PortMapping[]>();
  /** Container → the sandbox it was given. */
  private readonly given = new Map<string, string>();
  /** Ports as text, the newest last. */
  private readonly foretold: string[];
  private askedAt = -Infinity;
  private making: string | undefined;
  private isRefilling = false;
  private isClosed = false;
  /** An earlier agent may have left some; until they are known, none is made. */
  private hasLooked = false;

  constructor(private readonly options: SandboxPoolOptions) {
    const { size, firstPorts } = options;
    this.foretold = Array.from({ length: size }, () => textOf(firstPorts));
  }

  /** How many wait. */
  get waiting(): number {
    return this.free.size;
  }

  /** One with these ports for a container, if there is one; the host ports are the container's from here on. */
  take(guid: string, containerPorts: readonly number[]): Pick<Sandbox, 'name' | 'ports'> | undefined {
    const { size, ports: pool } = this.options;
    if (size === 0) return undefined;
    const wanted = textOf(containerPorts);
    this.askedAt = performance.now();
    this.foretold.push(wanted);
    this.foretold.shift();
    const found = [...this.free].find(([, mappings]) => textOfMappings(mappings) === wanted);
    if (found !== undefined) {
      const [name, mappings] = found;
      this.free.delete(name);
      this.given.set(guid, name);
      pool.hold(
        guid,
        mappings.map(({ hostPort }) => hostPort),
      );
    }
    void this.refill();
    return found && { name: found[0], ports: found[1] };
  }

  /** The container is gone, and its sandbox with it. */
  release(guid: string): void {
    this.given.delete(guid);
  }

  /**
   * Takes up what an earlier agent left, and removes what is of no use: what nobody waits for, and what has ended.
   * Returns the handles of running containers whose network has ended: nobody reaches them any more.
   */
  async synchronize(containers: readonly ContainerInfo[]): Promise<string[]> {
    const { sandboxes, size } = this.options;
    if (sandboxes === undefined) return [];
    const found = await sandboxes.list();
    const byName = new Map(found.map((sandbox) => [sandbox.name, sandbox]));
    for (const name of this.free.keys()) if (!byName.get(name)?.isRunning) await this.discard(name);
    const given = new Set(this.given.values());
    for (const { name, ports, isTaken, isRunning } of found) {
      if (isTaken || this.free.has(name) || given.has(name) || name === this.making) continue;
      if (isRunning && size > 0 && !this.hasLooked) this.keep(name, ports);
      else await this.discard(name);
    }
    this.hasLooked = true;
    void this.refill();
    return containers
      .filter(({ state, sandbox }) => state === 'running' && sandbox !== undefined)
      .filter(({ sandbox }) => byName.has(sandbox!) && !byName.get(sandbox!)!.isRunning)
      .map(({ handle }) => handle);
  }

  /** No more are made. Those that wait are left for the next agent. */
  close(): void {
    this.isClosed = true;
  }

  private keep(name: string, ports: PortMapping[]): void {
    const hostPorts = ports.map(({ hostPort }) => hostPort);
    this.options.ports.hold(holderOf(name), hostPorts);
    this.free.set(name, ports);
  }

  private async refill(): Promise<void> {
    if (this.isRefilling || !this.hasLooked || this.options.sandboxes === undefined) return;
    this.isRefilling = true;
    try {
      while (!this.isClosed && this.next() !== undefined) {
        await this.untilQuiet();
        if (this.isClosed) return;
        try {
          await this.next()?.();
        } catch (error) {
          this.options.logger.warn('failed-to-make-network-sandbox', { reason: messageOf(error) });
          // It will not be otherwise the next time.
          if (error instanceof RiveraError && error.code === 'unsupported') this.isClosed = true;
          await sleep(this.options.retryMs ?? RETRY_MS, undefined, { ref: false });
        }
      }
    } finally {
      this.isRefilling = false;
    }
  }

  /** What is to be done next: first what is too much goes, so that there are never more than wanted. */
  private next(): (() => Promise<void>) | undefined {
    const missing = [...this.foretold];
    for (const [name, mappings] of this.free) {
      const at = missing.indexOf(textOfMappings(mappings));
      if (at < 0) return () => this.discard(name);
      missing.splice(at, 1);
    }
    const wanted = missing.at(-1);
    return wanted === undefined ? undefined : () => this.make(portsOf(wanted));
  }

  private async make(containerPorts: number[]): Promise<void> {
    const { sandboxes, ports: pool } = this.options;
    const name = randomUUID();
    this.making = name;
    try {
      const hostPorts = await pool.acquire(holderOf(name), containerPorts);
      const ports = containerPorts.map((containerPort) => ({
        containerPort,
        hostPort: hostPorts[containerPort]!,
      }));
      await sandboxes!.create({ name, ports });
      this.free.set(name, ports);
    } catch (error) {
      pool.release(holderOf(name));
      throw error;
    } finally {
      this.making = undefined;
    }
  }

  private async discard(name: string): Promise<void> {
    this.free.delete(name);
    await this.options.sandboxes!.destroy(name);
    this.options.ports.release(holderOf(name));
  }

  private async untilQuiet(): Promise<void> {
    const { quietMs = QUIET_MS } = this.options;
    const began = performance.now();
    for (;;) {
      const waitMs = quietMs - (performance.now() - this.askedAt);
      if (waitMs <= 0 || performance.now() - began > PATIENCE_MS) return;
      await sleep(waitMs, undefined, { ref: false });
    }
  }
}

/** Who has the host ports of a sandbox that nobody is in. */
function holderOf(name: string): string {
  return `network sandbox ${name}`;
}

function textOf(ports: readonly number[]): string {
  return [...new Set(ports)].join(',');
}

function textOfMappings(mappings: readonly PortMapping[]): string {
  return textOf(mappings.map(({ containerPort }) => containerPort));
}

function portsOf(text: string): number[] {
  return text.split(',').filter(Boolean).map(Number);
}
