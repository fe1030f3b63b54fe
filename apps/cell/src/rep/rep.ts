import { setTimeout as sleep } from 'node:timers/promises';
import type { RiveraClient } from '#rivera/client';
import type { Container, ContainerInfo } from '#rivera/garden';
import { heldResources } from '#rivera/models';
import type {
  ActualLRP,
  CellCapacity,
  CellMessages,
  LRPReport,
  PlacedLRP,
  PlacedTask,
  Task,
  TaskReport,
} from '#rivera/models';
import type { RiveraLogger } from '#rivera/platform';
import { ContainerActor, type Work } from '../containers/container-actor.js';
import { Ledger } from '../containers/ledger.js';
import { LRPWork } from '../containers/lrp-work.js';
import { Provisioner } from '../containers/provisioner.js';
import type { CellServices } from '../containers/services.js';
import { TaskWork } from '../containers/task-work.js';
import type { Instance, Instances } from '../exec/instances.js';
import type { StepResult } from '../executor/step.js';
import type { Holding } from '../stats/stats-session.js';
import type { Reporter } from './reporter.js';
import { isSelfCheck } from './self-check.js';
import { WorkList } from './work-list.js';

export interface RepOptions {
  services: CellServices;
  capacity: CellCapacity;
  client: RiveraClient;
  reporter: Reporter;
  logger: RiveraLogger;
  onCompleted?: (result: StepResult) => void;
}

/** A third of the time that a placement may take; what has ended is mostly removed within a second. */
const ROOM_PATIENCE_MS = 5_000;

/** How often the agent looks, before it ends, whether everything has started. */
const LOOK_MS = 20;
/** How long the store may take to hear what was not. */
const HAND_BACK_MS = 2_000;

interface Waiting {
  work: Work;
  /** The report that it was in vain. */
  refuse: (reason: string) => Parameters<Reporter['report']>[0];
  timer: NodeJS.Timeout;
}

/**
 * The cell: takes work or refuses it, and supervises one actor per container (Diego rep). Nothing here waits for
 * a container.
 */
export class Rep implements Instances {
  private readonly actors = new Map<string, ContainerActor>();
  private readonly ledger: Ledger;
  private readonly provisioner: Provisioner;
  private readonly work: WorkList;
  private hasAdopted = false;
  private isClosed = false;
  private isEnding = false;
  private selfCheckProblem: string | undefined;
  /** Work that fits as soon as containers are gone whose end the store knows already: the auctioneer counts them as gone. */
  private readonly waiting = new Map<string, Waiting>();
  /** What was given up at the end of a drain and still has to end. */
  private readonly abandoned = new Set<string>();

  constructor(private readonly options: RepOptions) {
    this.ledger = new Ledger(options.capacity);
    this.provisioner = new Provisioner(options.services);
    this.work = new WorkList(options.client, options.services.cellId);
  }

  /** The auctioneer gave this to us. What is here already is left alone, what does not fit, nor will in a moment, goes back at once. */
  place({ lrps, tasks }: CellMessages['place']): void {
    // The store knows where it was placed: the next agent finds it there.
    if (this.isEnding) return;
    for (const lrp of lrps) {
      const { processGuid, index, instanceGuid } = lrp;
      this.admit(this.lrpWork(lrp), (reason) => ({
        type: 'refuse',
        processGuid,
        index,
        instanceGuid,
        reason,
      }));
    }
    for (const task of tasks) {
      const { taskGuid } = task;
      this.admit(this.taskWork(task), (reason) => ({ type: 'refuse-task', taskGuid, reason }));
    }
  }

  /** Why nothing can be run here; undefined: it can. */
  set problem(problem: string | undefined) {
    this.selfCheckProblem = problem;
  }

  /** No new work is taken. */
  close(): void {
    this.isClosed = true;
  }

  open(): void {
    this.isClosed = false;
  }

  get isEmpty(): boolean {
    return this.actors.size === 0;
  }

  /** Everything here is asked to leave; what may not yet is to be asked again. */
  evacuate(): void {
    for (const actor of this.actors.values()) actor.leave();
  }

  /** What has not left in time is stopped: instances start elsewhere, tasks have failed. */
  abandon(): void {
    for (const [guid, actor] of this.actors) {
      if (this.abandoned.has(guid)) continue;
      this.abandoned.add(guid);
      this.options.logger.warn('abandoning-container', { guid, kind: actor.work.kind });
      if (actor.work.kind === 'task') {
        const failureReason = 'cell was drained before completion';
        this.tell({ type: 'complete-task', taskGuid: guid, failed: true, failureReason });
      }
      actor.stop();
    }
  }

  /**
   * The agent ends and leaves its containers to the next one, which takes work that was begun and has no container for
   * work whose container is lost. So what has begun gets its container first; what takes longer than `patienceMs` is
   * handed back, to be placed again.
   */
  async finishStarting(patienceMs: number): Promise<void> {
    this.isEnding = true;
    for (const guid of this.waiting.keys()) this.endWait(guid);
    if (await this.hasStarted(patienceMs)) return;
    for (const actor of this.actors.values()) actor.handBack();
    if (!(await this.hasStarted(HAND_BACK_MS))) this.options.logger.warn('left-unstarted', this.census());
  }

  stop({ instanceGuids, taskGuids }: CellMessages['stop']): void {
    for (const guid of [...instanceGuids, ...taskGuids]) {
      this.endWait(guid);
      this.actors.get(guid)?.stop();
    }
  }

  /**
   * Compares everything here with everything the store says, in both directions (Diego rep, bulk sync). Run before the
   * first message is taken, where it adopts what an earlier agent left, and then every now and then as a safety net.
   */
  async synchronize(): Promise<void> {
    const { services } = this.options;
    const { garden } = services;
    const before = new Map([...this.actors].map(([guid, actor]) => [guid, actor.isGranted]));
    const [found, work] = await Promise.all([garden.list(), this.work.read()]);
    const containers = found.filter((container) => !isSelfCheck(container));
    if (!this.hasAdopted) {
      this.provisioner.adopt(containers);
      await services.sandboxes.synchronize(containers);
    }
    this.hasAdopted = true;
    for (const { handle } of containers)
      if (!this.actors.has(handle)) this.provisioner.foundContainer(handle);
    for (const actual of work.actualLRPs) this.synchronizeLRP(actual, containers);
    for (const task of work.tasks) this.synchronizeTask(task, containers);

    const wanted = new Set([
      ...work.actualLRPs.map(({ instanceGuid, placement }) => instanceGuid ?? placement?.instanceGuid),
      ...work.tasks.map(({ taskGuid }) => taskGuid),
    ]);
    for (const [guid, wasGranted] of before) {
      if (wasGranted && !wanted.has(guid)) this.actors.get(guid)?.stop();
    }
    await Promise.all(
      containers
        .filter(({ handle }) => !this.actors.has(handle))
        .map(({ handle }) => this.removeStranger(handle)),
    );
    await this.removeUnreachable(await services.sandboxes.synchronize(containers));
  }

  /** What is left for new work. */
  remaining(): CellCapacity {
    return this.ledger.remaining();
  }

  /** Containers by state. */
  census(): Record<string, number> {
    const census: Record<string, number> = {};
    for (const { state } of this.actors.values()) census[state] = (census[state] ?? 0) + 1;
    return census;
  }

  private synchronizeLRP(actual: ActualLRP, containers: ContainerInfo[]): void {
    const { processGuid, index, resources, instanceGuid, placement } = actual;
    if (placement !== undefined) {
      this.place({
        lrps: [{ processGuid, index, instanceGuid: placement.instanceGuid, resources }],
        tasks: [],
      });
      return;
    }
    if (instanceGuid === undefined) return;
    const actor = this.actors.get(instanceGuid);
    if (actor !== undefined) {
      if (actual.stopping) actor.stop();
      return;
    }
    if (containers.some(({ handle }) => handle === instanceGuid)) {
      const lrp = { processGuid, index, instanceGuid, resources };
      const adopted = this.adopt(this.lrpWork(lrp, { isRoutable: actual.routable }));
      if (actual.stopping) adopted.stop();
      return;
    }
    this.tell({ type: 'remove', processGuid, index, instanceGuid });
  }

  private synchronizeTask(task: Task, containers: ContainerInfo[]): void {
    const { taskGuid, definition, placement } = task;
    const placed: PlacedTask = {
      taskGuid,
      resources: heldResources(definition),
    };
    if (this.actors.has(taskGuid)) return;
    if (placement !== undefined) {
      this.place({ lrps: [], tasks: [placed] });
    } else if (containers.some(({ handle }) => handle === taskGuid) && definition.action.run !== undefined) {
      this.adopt(this.taskWork(placed, { isAdopted: true }));
    } else {
      const reason = 'task container does not exist';
      this.tell({ type: 'complete-task', taskGuid, failed: true, failureReason: reason });
    }
  }

  /** Resolves with true as soon as nothing is about to start, with false when that takes too long. */
  private async hasStarted(patienceMs: number): Promise<boolean> {
    for (const end = performance.now() + patienceMs; performance.now() < end; await sleep(LOOK_MS))
      if (![...this.actors.values()].some(({ isStarting }) => isStarting)) return true;
    return false;
  }

  private refusal(): string {
    if (this.isClosed) return 'cell is draining';
    if (this.selfCheckProblem !== undefined) return `self-check of the cell fails: ${this.selfCheckProblem}`;
    return 'insufficient resources';
  }

  private admit(work: Work, refuse: Waiting['refuse']): void {
    if (this.waiting.has(work.guid) || this.take(work)) return;
    if (!this.willHaveRoom(work)) return this.tell(refuse(this.refusal()));
    const timer = setTimeout(() => {
      this.waiting.delete(work.guid);
      this.tell(refuse(this.refusal()));
    }, ROOM_PATIENCE_MS).unref();
    this.waiting.set(work.guid, { work, refuse, timer });
  }

  private willHaveRoom({ resources }: Work): boolean {
    if (this.isClosed || this.selfCheckProblem !== undefined) return false;
    const ended = [...this.actors].filter(([, { state }]) => state === 'completed').map(([guid]) => guid);
    const first = [...this.waiting.values()].map(({ work }) => work.resources);
    return this.ledger.willFit([...first, resources], new Set(ended));
  }

  private endWait(guid: string): void {
    clearTimeout(this.waiting.get(guid)?.timer);
    this.waiting.delete(guid);
  }

  private take(work: Work): boolean {
    if (this.actors.has(work.guid)) return true;
    if (this.isClosed || this.selfCheckProblem !== undefined) return false;
    if (!this.ledger.reserve(work.guid, work.resources)) return false;
    this.supervise(work, { isThere: false });
    return true;
  }

  private adopt(work: Work): ContainerActor {
    this.options.logger.log('adopting-container', { guid: work.guid, kind: work.kind });
    this.ledger.adopt(work.guid, work.resources);
    return this.supervise(work, { isThere: true });
  }

  private supervise(work: Work, { isThere }: { isThere: boolean }): ContainerActor {
    const { services, logger, onCompleted } = this.options;
    const { cellId, garden, creating, deleting, policy } = services;
    const actor = new ContainerActor({
      work,
      cellId,
      garden,
      creating,
      deleting,
      ...(isThere ? {} : { reservationTtlMs: policy.reservationTtlMs }),
      logger,
      onCompleted,
      onGone: (guid) => {
        this.actors.delete(guid);
        this.abandoned.delete(guid);
        this.ledger.release(guid);
        for (const { work: next } of this.waiting.values()) if (this.take(next)) this.endWait(next.guid);
      },
    });
    this.actors.set(work.guid, actor);
    actor.begin();
    return actor;
  }

  private lrpWork(lrp: PlacedLRP, more: { isRoutable?: boolean } = {}): LRPWork {
    const { reporter, services } = this.options;
    const report = (said: LRPReport) => reporter.report(said);
    return new LRPWork({ ...lrp, ...more, report, services, provisioner: this.provisioner });
  }

  private taskWork(task: PlacedTask, more: { isAdopted?: boolean } = {}): TaskWork {
    const { reporter, services } = this.options;
    const report = (said: TaskReport) => reporter.report(said);
    return new TaskWork({ ...task, ...more, report, services, provisioner: this.provisioner });
  }

  /** The container of an instance or task of this cell, while it has one. */
  container(guid: string): Container | undefined {
    return this.actor(guid)?.container;
  }

  actor(guid: string): ContainerActor | undefined {
    return this.actors.get(guid);
  }

  /** What is here, and for what. */
  holdings(): Holding[] {
    return [...this.actors.values()].map(({ work: { guid, key, resources } }) => ({ guid, key, resources }));
  }

  /** For those who do something in a container beside what it is for. */
  async enter(guid: string): Promise<Instance | undefined> {
    const actor = this.actors.get(guid);
    if (actor?.container === undefined) return undefined;
    return { container: actor.container, defaults: await actor.work.processDefaults(actor.container) };
  }

  /** Reports that nobody here waits for: refused or lost, the next synchronization makes up for it. */
  private tell(report: Parameters<Reporter['report']>[0]): void {
    this.options.reporter.report(report).catch((error: unknown) => {
      this.options.logger.warn('failed-to-report', { type: report.type, error });
    });
  }

  /** Their program is told of by its end, like that of any container that vanished. */
  private async removeUnreachable(handles: string[]): Promise<void> {
    for (const handle of handles) {
      this.options.logger.warn('network-of-container-has-ended', { guid: handle });
      await this.options.services.garden.destroy(handle);
    }
  }

  private async removeStranger(handle: string): Promise<void> {
    this.options.logger.warn('removing-stranger', { handle });
    try {
      await this.options.services.garden.destroy(handle);
      await this.provisioner.release(handle);
    } catch (error) {
      this.options.logger.warn('failed-to-destroy-container', { guid: handle, error });
    }
  }
}
