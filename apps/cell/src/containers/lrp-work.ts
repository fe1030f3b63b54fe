import type { Container } from '#rivera/garden';
import { labelsOf } from '#rivera/lifecycle';
import {
  type ActualLRPKey,
  type ActualLRPNetInfo,
  type CellReportResult,
  type Check,
  type DesiredLRP,
  type HeldResources,
  type LRPReport,
  RiveraError,
  type RunAction,
} from '#rivera/models';
import type { ProcessDefaults } from '../exec/instances.js';
import { group } from '../executor/combinators.js';
import { instanceEnvironment } from '../executor/environment.js';
import { type Interpreter, processDefaults } from '../executor/interpreter.js';
import { LogStreamer } from '../executor/log-streamer.js';
import type { Step, StepLog, StepResult } from '../executor/step.js';
import { healthStep } from '../health/health-step.js';
import { checkProbes, type PortResolver, type Probe } from '../health/probe.js';
import { readinessStep } from '../health/readiness-step.js';
import type { Leaving, Work } from './container-actor.js';
import { ContainerRun, isDownloadsOnly } from './container-run.js';
import type { Provisioner } from './provisioner.js';
import type { CellServices } from './services.js';

type LRPFields<R> = R extends unknown ? Omit<R, 'processGuid' | 'index' | 'instanceGuid'> : never;

/** Diego executor: the log source of health checks that name none. */
const HEALTH_SOURCE = 'HEALTH';

export interface LRPWorkOptions extends ActualLRPKey {
  instanceGuid: string;
  resources: HeldResources;
  report(report: LRPReport): Promise<CellReportResult>;
  services: CellServices;
  provisioner: Provisioner;
  /** What the store holds of an instance that runs already: it keeps its traffic until a check says otherwise. */
  isRoutable?: boolean;
}

/** One instance of a desired LRP (Diego rep, LRP processor). */
export class LRPWork implements Work {
  readonly kind = 'lrp';
  private granted: { desired: DesiredLRP; run: ContainerRun } | undefined;
  private isRoutable = true;

  constructor(private readonly options: LRPWorkOptions) {}

  get guid(): string {
    return this.options.instanceGuid;
  }

  get key(): ActualLRPKey {
    const { processGuid, index } = this.options;
    return { processGuid, index };
  }

  get resources(): HeldResources {
    return this.options.resources;
  }

  async acquire(): Promise<boolean> {
    const { ok, desiredLRP: desired } = { desiredLRP: undefined, ...(await this.report({ type: 'claim' })) };
    if (!ok || desired === undefined) return false;
    this.granted = { desired, run: this.runOf(desired) };
    const hasReadiness = (desired.checkDefinition?.readinessChecks ?? []).length > 0;
    this.isRoutable = !hasReadiness || this.options.isRoutable === true;
    return true;
  }

  create(signal: AbortSignal): Promise<Container> {
    return this.definite().run.create(signal);
  }

  async step(container: Container, onChange: () => void): Promise<Step> {
    const { desired, run } = this.definite();
    const logSource = logSourceOf(desired);
    const interpreter = run.interpreter(container);
    const sidecars = desired.sidecars ?? [];
    const parts = [
      interpreter.step(desired.action, logSource),
      ...sidecars.map((sidecar) => interpreter.step(sidecar.action, logSource)),
      ...this.healthSteps(container, interpreter, onChange),
    ];
    // A main process takes its container with it when it ends, whatever its exit status.
    const endTogether = sidecars.length > 0 || mainActionOf(desired) !== undefined;
    return run.step(container, interpreter, parts.length === 1 ? parts[0]! : group(parts, { endTogether }));
  }

  async processDefaults(container: Container): Promise<ProcessDefaults> {
    const { desired, run } = this.definite();
    return processDefaults(desired.action, await run.network(container));
  }

  /** Said again whenever it changes. */
  async ready(container: Container): Promise<boolean> {
    const result = await this.report({
      type: 'start',
      netInfo: await this.netInfo(container),
      routable: this.isRoutable,
    });
    return result.ok;
  }

  async leave(container: Container | undefined, isRunning: boolean): Promise<Leaving> {
    if (container === undefined) {
      await this.report({ type: 'evacuate-claimed' });
      return 'gone';
    }
    // Its program may have begun: it ends before the store is told, which then has it run elsewhere.
    if (!isRunning) return 'gone';
    const netInfo = await this.netInfo(container);
    const result = await this.report({ type: 'evacuate-running', netInfo, routable: this.isRoutable });
    if (!result.ok || result.waiting) return 'waiting';
    return result.keepContainer ? 'moving' : 'gone';
  }

  async handBack(): Promise<void> {
    await this.report({ type: 'remove' });
  }

  async ended(result: StepResult): Promise<void> {
    if (result.status === 'cancelled') await this.report({ type: 'remove' });
    else if (result.status === 'failed') await this.report({ type: 'crash', reason: result.message });
    else await this.report({ type: 'crash', reason: 'Exited with status 0' });
  }

  say(stream: 'out' | 'err', line: string): void {
    this.granted?.run.logs.platform(stream, line);
  }

  async removed(): Promise<void> {
    await this.options.provisioner.release(this.guid);
    this.granted?.run.logs.close();
  }

  private runOf(desired: DesiredLRP): ContainerRun {
    const { processGuid, index, instanceGuid, services, provisioner } = this.options;
    const { garden, logs, policy } = services;
    const ports = [...new Set(desired.ports ?? [])];
    const origin = { kind: 'lrp' as const, guid: instanceGuid, processGuid, index, logGuid: desired.logGuid };
    return new ContainerRun({
      services,
      provisioner,
      guid: instanceGuid,
      definition: desired,
      logs: new LogStreamer(
        logs.open({ ...origin, metricTags: labelsOf(desired, { index, instanceGuid }).metricTags }),
        { bytesPerSecond: desired.logRateLimit?.bytesPerSecond, linesPerSecond: policy.logLinesPerSecond },
      ),
      logSource: logSourceOf(desired),
      main: mainActionOf(desired),
      setup: desired.setup,
      env: instanceEnvironment({
        instanceGuid,
        index,
        port: garden.capabilities.networkNamespace ? ports[0] : undefined,
      }),
      containerPorts: ports,
      properties: { kind: 'lrp', processGuid, index: String(index), domain: desired.domain },
    });
  }

  /** Declarative checks win over a monitor action (Diego executor). */
  private healthSteps(container: Container, interpreter: Interpreter, onChange: () => void): Step[] {
    const { desired, run } = this.definite();
    const { checkDefinition, monitor, startTimeoutMs = 0 } = desired;
    const { intervals } = this.options.services.policy;
    const source = checkDefinition?.logSource || HEALTH_SOURCE;
    const log: StepLog = {
      out: (line) => run.logs.line(source, 'out', line),
      error: (line) => run.logs.line(source, 'err', line),
    };
    const at = portResolver(container);
    const probesOf = (checks: Check[] = []): Probe[] => checkProbes(checks, at);
    const common = { startTimeoutMs, intervals, log };
    const steps: Step[] = [];
    const liveness = probesOf(checkDefinition?.checks);
    if (liveness.length > 0) steps.push(healthStep({ ...common, probes: liveness, kind: 'checks' }));
    else if (checkDefinition === undefined && monitor !== undefined) {
      const probes = [monitorProbe(interpreter.monitorStep(monitor, HEALTH_SOURCE))];
      steps.push(healthStep({ ...common, probes, kind: 'monitor' }));
    }
    const readiness = probesOf(checkDefinition?.readinessChecks);
    if (readiness.length > 0) {
      const onRoutable = (isRoutable: boolean): void => {
        this.isRoutable = isRoutable;
        onChange();
      };
      steps.push(readinessStep({ probes: readiness, intervals, log, onRoutable }));
    }
    return steps;
  }

  private report(fields: LRPFields<LRPReport>): Promise<CellReportResult> {
    const { processGuid, index, instanceGuid } = this.options;
    return this.options.report({ ...fields, processGuid, index, instanceGuid });
  }

  private definite(): { desired: DesiredLRP; run: ContainerRun } {
    if (this.granted === undefined)
      throw new RiveraError('internal', `Instance ${this.guid} was not claimed.`);
    return this.granted;
  }

  private async netInfo(container: Container): Promise<ActualLRPNetInfo> {
    const info = await container.info();
    return {
      address: this.options.services.address,
      ports: info.ports,
      ...(info.address === undefined ? {} : { instanceAddress: info.address }),
      preferredAddress: 'HOST',
    };
  }
}

function logSourceOf({ logSource }: DesiredLRP): string {
  return logSource || 'LOG';
}

function monitorProbe(step: Step): Probe {
  return {
    attempt: async (signal) => {
      const result = await step.perform(signal, () => {});
      return result.status === 'failed' ? result.message : undefined;
    },
  };
}

/** A running container keeps its address and ports, so that they are asked for once. */
function portResolver(container: Container): PortResolver {
  let known: Awaited<ReturnType<Container['info']>> | undefined;
  return async (port) => {
    if (known?.state !== 'running') known = await container.info();
    if (known.state !== 'running') return `the container is ${known.state}`;
    const { address, ports } = known;
    if (address !== undefined) return { host: address, port };
    const mapping = ports.find(({ containerPort }) => containerPort === port);
    return mapping === undefined ? 'it is not mapped' : { host: '127.0.0.1', port: mapping.hostPort };
  };
}

/**
 * The run action that can be the container's main process, so that it survives the agent: one process, nothing beside it
 * in the container, and nothing before it that has to run there.
 */
export function mainActionOf({ action, setup, sidecars = [] }: DesiredLRP): RunAction | undefined {
  return (setup === undefined || isDownloadsOnly(setup)) && sidecars.length === 0 ? action.run : undefined;
}
