import { isDeepStrictEqual } from 'node:util';
import type {
  ActualLRP,
  Cell,
  Deployment,
  DesiredLRPSchedulingInfo,
  ModificationTag,
  Presence,
  RiveraEvent,
  Task,
} from '#rivera/models';

/** What one commit told, or a part of it. Times are milliseconds since the Unix epoch. */
export interface HistoryEntry {
  atMs: number;
  events: readonly RiveraEvent[];
}

/** Some stretch of time; without an end it lasts. */
export interface Span {
  fromMs: number;
  toMs?: number;
}

/** One run of an instance on a cell, as the event log tells it. */
export interface InstanceStory {
  processGuid: string;
  index: number;
  cellId: string;
  /** When it first was something else than ORDINARY. */
  leftOrdinaryMs?: number;
  endedMs?: number;
  /** What became of its record, in words, for whoever must find out why. */
  told: string[];
}

export interface TaskStory {
  createdMs: number;
  /** Cells it was RUNNING on, one for each time it was started. */
  startedOn: string[];
  results: { failed?: boolean; failureReason?: string; result?: string; atMs: number }[];
  lastCellId?: string;
  removedMs?: number;
}

interface Tagged {
  modificationTag: ModificationTag;
}

/**
 * The event log, told to it entry by entry and folded into the state it must lead to. Whatever an event says that does not
 * follow from the ones before is a violation: a change of something that was otherwise, a second ORDINARY instance of an
 * index, a second result of a task.
 */
export class History {
  readonly violations: string[] = [];
  readonly desired = new Map<string, DesiredLRPSchedulingInfo>();
  readonly tasks = new Map<string, Task>();
  readonly cells = new Map<string, Cell>();
  readonly deployments = new Map<string, Deployment>();
  /** By slot and instance guid, or state without one: what is one identity to whoever follows events. */
  readonly actuals = new Map<string, ActualLRP>();
  readonly instances = new Map<string, InstanceStory>();
  readonly taskStories = new Map<string, TaskStory>();
  /** When each cell was MISSING, or was told to give up its work. */
  readonly cellTroubles = new Map<string, Span[]>();
  /** Annotations that a desired LRP has had. */
  readonly annotations = new Map<string, Set<string>>();
  eventCount = 0;
  private readonly slots = new Map<string, Set<string>>();

  take({ atMs, events }: HistoryEntry): void {
    const touched = new Set<string>();
    for (const event of events) {
      this.eventCount += 1;
      this.takeEvent(event, atMs, touched);
    }
    for (const slot of touched) this.requireOneOfEach(slot);
  }

  /** Was this cell MISSING or giving up its work at some moment of this time? */
  wasInTrouble(cellId: string, fromMs: number, toMs: number): boolean {
    const spans = this.cellTroubles.get(cellId) ?? [];
    return spans.some((span) => span.fromMs <= toMs && (span.toMs ?? Infinity) >= fromMs);
  }

  private takeEvent(event: RiveraEvent, atMs: number, touched: Set<string>): void {
    switch (event.type) {
      case 'desired_lrp_created':
      case 'desired_lrp_changed':
      case 'desired_lrp_removed': {
        const { before, after } = pairOf<DesiredLRPSchedulingInfo>(event);
        this.put(this.desired, (after ?? before)!.processGuid, before, after, event.type);
        if (after?.annotation !== undefined) this.rememberAnnotation(after.processGuid, after.annotation);
        return;
      }
      case 'task_created':
      case 'task_changed':
      case 'task_removed': {
        const { before, after } = pairOf<Task>(event);
        this.put(this.tasks, (after ?? before)!.taskGuid, before, after, event.type);
        return this.tellTask(before, after, atMs);
      }
      case 'cell_created':
      case 'cell_changed':
      case 'cell_removed': {
        const { before, after } = pairOf<Cell>(event);
        this.put(this.cells, (after ?? before)!.cellId, before, after, event.type);
        return this.tellCell((after ?? before)!.cellId, after, atMs);
      }
      case 'deployment_created':
      case 'deployment_changed':
      case 'deployment_removed': {
        const { before, after } = pairOf<Deployment>(event);
        return this.put(this.deployments, (after ?? before)!.processGuid, before, after, event.type);
      }
      case 'actual_lrp_crashed':
        return this.requireKnown(event.before, event.type);
      case 'actual_lrp_created':
      case 'actual_lrp_changed':
      case 'actual_lrp_removed': {
        const { before, after } = pairOf<ActualLRP>(event);
        return this.takeActual(before, after, { atMs, touched, type: event.type });
      }
    }
  }

  private takeActual(
    before: ActualLRP | undefined,
    after: ActualLRP | undefined,
    { atMs, touched, type }: { atMs: number; touched: Set<string>; type: string },
  ): void {
    if (before !== undefined) {
      this.requireKnown(before, type);
      this.actuals.delete(identityOf(before));
      this.slots.get(slotOf(before))?.delete(identityOf(before));
      touched.add(slotOf(before));
    }
    if (after !== undefined) {
      const identity = identityOf(after);
      if (this.actuals.has(identity)) this.violate(`${type} of ${identity}, which was there already`);
      this.actuals.set(identity, after);
      const slot = slotOf(after);
      const identities = this.slots.get(slot) ?? new Set();
      this.slots.set(slot, identities.add(identity));
      touched.add(slot);
    }
    this.tellInstance(before, after, atMs);
  }

  private requireKnown(before: ActualLRP, type: string): void {
    const identity = identityOf(before);
    const known = this.actuals.get(identity);
    if (known === undefined) return this.violate(`${type} of ${identity}, of which no event has told`);
    if (!isDeepStrictEqual(known, before)) {
      this.violate(`${type} of ${identity} as ${tagOf(before)}, last told as ${tagOf(known)}`);
    }
  }

  private requireOneOfEach(slot: string): void {
    const identities = [...(this.slots.get(slot) ?? [])];
    if (identities.length === 0) this.slots.delete(slot);
    const presences = identities.map((identity) => this.actuals.get(identity)!.presence);
    const twice = presences.filter((presence, at) => presences.indexOf(presence) !== at);
    for (const presence of new Set(twice)) this.violate(`${slot} has more than one ${presence} record`);
  }

  private tellInstance(before: ActualLRP | undefined, after: ActualLRP | undefined, atMs: number): void {
    const isKept = before?.instanceGuid !== undefined && before.instanceGuid === after?.instanceGuid;
    if (before?.instanceGuid !== undefined && !isKept) {
      const story = this.instances.get(before.instanceGuid);
      if (story !== undefined) {
        story.endedMs = atMs;
        story.told.push(`${timeOf(atMs)} ${after === undefined ? 'record removed' : after.state}`);
      }
    }
    if (after?.instanceGuid === undefined || after.cellId === undefined) return;
    const { instanceGuid, processGuid, index, cellId, presence } = after;
    const story = this.instances.get(instanceGuid) ?? { processGuid, index, cellId, told: [] };
    if (story.cellId !== cellId) this.violate(`${instanceGuid} was on ${story.cellId} and is on ${cellId}`);
    if (presence !== ('ORDINARY' satisfies Presence)) story.leftOrdinaryMs ??= atMs;
    story.told.push(`${timeOf(atMs)} ${after.state} ${presence}`);
    this.instances.set(instanceGuid, story);
  }

  private tellTask(before: Task | undefined, after: Task | undefined, atMs: number): void {
    const { taskGuid } = (after ?? before)!;
    const story = this.taskStories.get(taskGuid) ?? { createdMs: atMs, startedOn: [], results: [] };
    this.taskStories.set(taskGuid, story);
    if (after === undefined) {
      story.removedMs = atMs;
      if (!isDone(before)) this.violate(`task ${taskGuid} was removed while it was ${before?.state}`);
      return;
    }
    if (after.state === 'RUNNING' && before?.state !== 'RUNNING') story.startedOn.push(after.cellId ?? '');
    story.lastCellId = after.cellId ?? after.lastCellId;
    const { failed, failureReason, result } = after;
    if (isDone(after) && !isDone(before)) {
      story.results.push({ failed, failureReason, result, atMs });
      if (story.results.length > 1) this.violate(`task ${taskGuid} has ${story.results.length} results`);
    } else if (!isDone(after) && isDone(before)) {
      this.violate(`task ${taskGuid} was ${before?.state} and is ${after.state} again`);
    } else if (isDone(after) && !isDeepStrictEqual(outcomeOf(before), outcomeOf(after))) {
      this.violate(`the result of task ${taskGuid} has changed`);
    }
  }

  private tellCell(cellId: string, after: Cell | undefined, atMs: number): void {
    const spans = this.cellTroubles.get(cellId) ?? [];
    this.cellTroubles.set(cellId, spans);
    const isInTrouble = after?.state !== 'PRESENT' || after.drain !== undefined || after.evacuating === true;
    const open = spans.find(({ toMs }) => toMs === undefined);
    if (isInTrouble && open === undefined) spans.push({ fromMs: atMs });
    if (!isInTrouble && open !== undefined) open.toMs = atMs;
  }

  private rememberAnnotation(processGuid: string, annotation: string): void {
    const known = this.annotations.get(processGuid) ?? new Set();
    this.annotations.set(processGuid, known.add(annotation));
  }

  /** What the event says was there must be what the ones before have told. */
  private put<R extends Tagged>(
    records: Map<string, R>,
    id: string,
    before: R | undefined,
    after: R | undefined,
    type: string,
  ): void {
    const known = records.get(id);
    if (!isDeepStrictEqual(known, before)) {
      this.violate(`${type} of ${id} from ${tagOf(before)}, last told as ${tagOf(known)}`);
    }
    if (after === undefined) records.delete(id);
    else records.set(id, after);
  }

  private violate(sentence: string): void {
    this.violations.push(sentence);
  }
}

export function slotOf({ processGuid, index }: { processGuid: string; index: number }): string {
  return `${processGuid}/${index}`;
}

export function identityOf(actual: ActualLRP): string {
  return `${slotOf(actual)}/${actual.instanceGuid ?? actual.state}`;
}

function pairOf<R>(event: object): { before?: R; after?: R } {
  return event;
}

function isDone(task: Task | undefined): boolean {
  return task?.state === 'COMPLETED' || task?.state === 'RESOLVING';
}

function outcomeOf(task: Task | undefined): unknown {
  return [task?.failed, task?.failureReason, task?.result];
}

function tagOf(record: Tagged | undefined): string {
  if (record === undefined) return 'nothing';
  const { epoch, index } = record.modificationTag;
  return `${epoch.slice(0, 8)}:${index}`;
}

function timeOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(11);
}
