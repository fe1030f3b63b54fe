import type { Container, ContainerSpec, Garden, GardenCapabilities } from '#rivera/garden';
import {
  type ActualLRPKey,
  type ActualLRPNetInfo,
  type CellReportResult,
  type DesiredLRP,
  type HeldResources,
  type LRPReport,
  RiveraError,
  type RunAction,
} from '#rivera/models';
import { group, serial } from '../executor/combinators.js';
import { instanceEnvironment, networkEnvironment } from '../executor/environment.js';
import { checksProbe, healthStep, type Probe } from '../executor/health.js';
import { Interpreter, processSpec } from '../executor/interpreter.js';
import type { LogStreamer } from '../executor/log-streamer.js';
import type { Step, StepResult } from '../executor/step.js';
import type { Work } from './container-actor.js';
import { openContainer } from './open-container.js';

type LRPFields<R> = R extends unknown ? Omit<R, 'processGuid' | 'index' | 'instanceGuid'> : never;

export interface LRPWorkOptions extends ActualLRPKey {
  instanceGuid: string;
  resources: HeldResources;
  report(report: LRPReport): Promise<CellReportResult>;
  capabilities: GardenCapabilities;
  cellAddress: string;
  graceMs: number;
  /** Opens the log of what was granted. */
  openLogs: (desired: DesiredLRP) => LogStreamer;
}

/** One instance of a desired LRP (Diego rep, LRP processor). */
export class LRPWork implements Work {
  readonly kind = 'lrp';
  private desired: DesiredLRP | undefined;
  private logs: LogStreamer | undefined;
  private isAdopted = false;

  constructor(private readonly options: LRPWorkOptions) {}

  get guid(): string {
    return this.options.instanceGuid;
  }

  get resources(): HeldResources {
    return this.options.resources;
  }

  async acquire(): Promise<boolean> {
    const result = await this.report({ type: 'claim' });
    if (!result.ok) return false;
    this.desired = result.desiredLRP;
    if (this.desired === undefined) return false;
    this.logs = this.options.openLogs(this.desired);
    return true;
  }

  async create(garden: Garden): Promise<Container> {
    const { container, isAdopted } = await openContainer(garden, this.spec());
    this.isAdopted = isAdopted;
    return container;
  }

  async step(container: Container): Promise<Step> {
    const desired = this.definition();
    const logs = this.logs!;
    const main = mainActionOf(desired);
    // A container of many processes must be up before any is run; a main process starts its container itself.
    if (main === undefined && !this.isAdopted) await container.start({ stdout: () => {}, stderr: () => {} });
    const logSource = desired.logSource ?? 'LOG';
    const interpreter = new Interpreter({
      container,
      main,
      launchMain: (output) => this.launchMain(container, output),
      networkEnvironment: main === undefined ? await this.network(container) : [],
      logs,
      graceMs: this.options.graceMs,
    });
    const parts = [interpreter.step(desired.action, logSource)];
    for (const sidecar of desired.sidecars ?? []) parts.push(interpreter.step(sidecar.action, logSource));
    const probe = await this.probe(container, interpreter);
    if (probe !== undefined) {
      const source = desired.checkDefinition?.logSource ?? 'HEALTH';
      parts.push(
        healthStep({
          probe,
          startTimeoutMs: desired.startTimeoutMs ?? 0,
          log: {
            out: (line) => logs.line(source, 'out', line),
            error: (line) => logs.line(source, 'err', line),
          },
        }),
      );
    }
    const running = parts.length === 1 ? parts[0]! : group(parts);
    return desired.setup === undefined
      ? running
      : serial([interpreter.step(desired.setup, logSource), running]);
  }

  async ready(container: Container): Promise<boolean> {
    const result = await this.report({
      type: 'start',
      netInfo: await this.netInfo(container),
      routable: true,
    });
    return result.ok;
  }

  async ended(result: StepResult): Promise<void> {
    if (result.status === 'cancelled') await this.report({ type: 'remove' });
    else if (result.status === 'failed') await this.report({ type: 'crash', reason: result.message });
    else await this.report({ type: 'crash', reason: 'Exited with status 0' });
    this.logs?.close();
  }

  private report(fields: LRPFields<LRPReport>): Promise<CellReportResult> {
    const { processGuid, index, instanceGuid } = this.options;
    return this.options.report({ ...fields, processGuid, index, instanceGuid });
  }

  private definition(): DesiredLRP {
    if (this.desired === undefined)
      throw new RiveraError('internal', `Instance ${this.guid} was not claimed.`);
    return this.desired;
  }

  private launchMain(container: Container, output: Parameters<Container['attachMain']>[0]) {
    return this.isAdopted ? container.attachMain(output) : this.startMain(container, output);
  }

  private async startMain(container: Container, output: Parameters<Container['start']>[0]) {
    const main = await container.start(output);
    if (main === undefined) throw new RiveraError('internal', `Container ${this.guid} has no main process.`);
    return main;
  }

  private spec(): ContainerSpec {
    const desired = this.definition();
    const { processGuid, index, instanceGuid, cellAddress, capabilities } = this.options;
    const ports = [...new Set(desired.ports ?? [])];
    const main = mainActionOf(desired);
    const network = networkEnvironment({ cellAddress, containerPorts: ports, ports: [] });
    return {
      handle: instanceGuid,
      rootfs: desired.rootfs,
      imageUsername: desired.imageUsername,
      imagePassword: desired.imagePassword,
      env: instanceEnvironment(
        { instanceGuid, index, port: capabilities.networkNamespace ? ports[0] : undefined },
        desired.environmentVariables,
      ),
      limits: {
        memoryMb: desired.memoryMb,
        diskMb: desired.diskMb,
        pids: desired.maxPids ?? 0,
        cpuWeight: desired.cpuWeight ?? 0,
      },
      privileged: desired.privileged ?? false,
      ports,
      properties: { kind: 'lrp', processGuid, index: String(index), domain: desired.domain },
      ...(main === undefined ? {} : { main: processSpec(main, network) }),
    };
  }

  private async netInfo(container: Container): Promise<ActualLRPNetInfo> {
    const info = await container.info();
    return {
      address: this.options.cellAddress,
      ports: info.ports,
      ...(info.address === undefined ? {} : { instanceAddress: info.address }),
      preferredAddress: 'HOST',
    };
  }

  private async network(container: Container): Promise<string[]> {
    const { address, ports } = await container.info();
    return networkEnvironment({
      cellAddress: this.options.cellAddress,
      instanceAddress: address,
      containerPorts: this.definition().ports ?? [],
      ports,
    });
  }

  /** A declarative check wins over a monitor action (Diego executor). */
  private async probe(container: Container, interpreter: Interpreter): Promise<Probe | undefined> {
    const { checkDefinition, monitor } = this.definition();
    if (checkDefinition !== undefined) {
      const checks = checkDefinition.checks ?? [];
      if (checks.length === 0) return undefined;
      return async (signal) => {
        const { address, ports } = await container.info();
        const at = (port: number) => {
          if (address !== undefined) return { host: address, port };
          const mapping = ports.find(({ containerPort }) => containerPort === port);
          return mapping && { host: '127.0.0.1', port: mapping.hostPort };
        };
        return checksProbe(checks, at)(signal);
      };
    }
    if (monitor === undefined) return undefined;
    return async (signal) => {
      const result = await interpreter.step(monitor, 'HEALTH').perform(signal, () => {});
      return result.status === 'failed' ? result.message : undefined;
    };
  }
}

/**
 * The run action that can be the container's main process, so that it survives the agent: one process, nothing before it
 * and nothing beside it in the container.
 */
export function mainActionOf({ action, setup, sidecars = [] }: DesiredLRP): RunAction | undefined {
  return setup === undefined && sidecars.length === 0 ? action.run : undefined;
}
