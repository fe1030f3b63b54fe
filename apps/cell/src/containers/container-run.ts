import type { Container, ContainerProcess, ProcessOutput } from '#rivera/garden';
import { type Action, RiveraError, type RunAction } from '#rivera/models';
import { parallel, serial } from '../executor/combinators.js';
import { networkEnvironment } from '../executor/environment.js';
import { guarded } from '../executor/guarded.js';
import { Interpreter, processSpec } from '../executor/interpreter.js';
import type { LogStreamer } from '../executor/log-streamer.js';
import type { Step } from '../executor/step.js';
import { type Definition, layersOf } from './image-layers.js';
import type { Provisioner, ProvisionRequest } from './provisioner.js';
import type { CellServices } from './services.js';

const MEBIBYTE = 1024 * 1024;

export interface ContainerRunOptions extends Omit<ProvisionRequest, 'main'> {
  services: CellServices;
  provisioner: Provisioner;
  /** The run action that is the container's main process, when there can be one. */
  main?: RunAction;
  setup?: Action;
  /** Where no action says otherwise. */
  logSource: string;
}

/** What instances and tasks have in common: one container, made, prepared and filled with steps. */
export class ContainerRun {
  private isAdopted = false;

  constructor(private readonly options: ContainerRunOptions) {}

  get logs(): LogStreamer {
    return this.options.logs;
  }

  async create(signal: AbortSignal): Promise<Container> {
    const { provisioner, main } = this.options;
    const { address: cellAddress } = this.options.services;
    const provided = await provisioner.provide(
      {
        ...this.options,
        main:
          main &&
          ((ports) => processSpec(main, networkEnvironment({ cellAddress, ports, ...this.ownAddress() }))),
      },
      signal,
    );
    this.isAdopted = provided.isAdopted;
    return provided.container;
  }

  interpreter(container: Container): Interpreter {
    const { main, logs, services } = this.options;
    const { artifacts, uploading, temporaryDirectory, policy } = services;
    return new Interpreter({
      container,
      main,
      launchMain: (output) => this.launchMain(container, output),
      networkEnvironment: () => this.network(container),
      logs,
      graceMs: policy.graceMs,
      artifacts,
      uploading,
      temporaryDirectory,
      maxTransferBytes: this.maxTransferBytes,
    });
  }

  /**
   * `running` behind its preparations: exclusive layers, then the setup. A container with a main process is prepared
   * before it starts; any other must be up before something is run in it. What an earlier agent started is prepared.
   */
  async step(container: Container, interpreter: Interpreter, running: Step): Promise<Step> {
    const { main, definition, setup, logSource } = this.options;
    if (main === undefined) await container.start({ stdout: () => {}, stderr: () => {} });
    const layers = layersOf(definition).downloads.map((download) =>
      interpreter.step({ download }, logSource),
    );
    const preparations = this.isAdopted
      ? []
      : [
          ...(layers.length === 0 ? [] : [parallel(layers)]),
          ...(setup === undefined ? [] : [interpreter.step(setup, logSource)]),
        ];
    const whole = preparations.length === 0 ? running : serial([...preparations, running]);
    return this.withinDisk(container, whole);
  }

  /** A backend that enforces the limit makes the program's writes fail; otherwise the program is ended. */
  private withinDisk(container: Container, step: Step): Step {
    const { services, definition } = this.options;
    const { diskMb } = definition;
    if (diskMb === 0 || services.garden.capabilities.diskLimit) return step;
    return guarded(step, (complain) =>
      services.diskWatch.watch(container, diskMb * MEBIBYTE, (used) =>
        complain(`disk limit of ${diskMb} MB exceeded: ${Math.ceil(used / MEBIBYTE)} MB written`),
      ),
    );
  }

  private async launchMain(container: Container, output: ProcessOutput): Promise<ContainerProcess> {
    if (this.isAdopted) return container.attachMain(output);
    const main = await container.start(output);
    if (main === undefined)
      throw new RiveraError('internal', `Container ${container.handle} has no main process.`);
    return main;
  }

  async network(container: Container): Promise<string[]> {
    const { address, ports } = await container.info();
    const own = address === undefined ? this.ownAddress() : { instanceAddress: address };
    return networkEnvironment({ cellAddress: this.options.services.address, ports, ...own });
  }

  /** Containers that share the host's network are at its address; others get theirs when they start. */
  private ownAddress(): { instanceAddress?: string } {
    const { garden, address } = this.options.services;
    return garden.capabilities.networkNamespace ? {} : { instanceAddress: address };
  }

  private get maxTransferBytes(): number {
    const { services, definition } = this.options;
    const { maxTransferBytes } = services.policy;
    return definition.diskMb > 0
      ? Math.min(definition.diskMb * MEBIBYTE, maxTransferBytes)
      : maxTransferBytes;
  }
}

/** An action that needs nothing to run in the container: it can be done before the container starts. */
export function isDownloadsOnly(action: Definition['action']): boolean {
  const { download, serial: inTurn, parallel: atOnce, emitProgress, timeout, try: trying } = action;
  if (download !== undefined) return true;
  const list = inTurn ?? atOnce;
  if (list !== undefined) return list.actions.every(isDownloadsOnly);
  const inner = emitProgress ?? timeout ?? trying;
  return inner !== undefined && isDownloadsOnly(inner.action);
}
