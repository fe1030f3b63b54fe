import { type AuctionEngine, type HeldWork } from '#rivera/auction';
import { actualId, cellOf, isClosedToWork, type RecordChange } from '#rivera/lifecycle';
import type { ActualLRP, Cell, HeldResources, ModificationTag, RiveraEvent, Task } from '#rivera/models';

interface Holding {
  cellId?: string;
  work?: HeldWork;
  tag: ModificationTag;
}

/**
 * Keeps the auction engine's view of the cells true to the store: loaded once, then moved on by the event log and by
 * the auctioneer's own commits. What it has seen of a record already, or something newer, changes nothing.
 */
export class CellPicture {
  private readonly holdings = new Map<string, Holding>();

  constructor(private readonly engine: AuctionEngine) {}

  applyCell(cell: Cell | undefined, cellId: string): void {
    if (cell?.state === 'PRESENT') this.engine.upsertCell({ ...cell, evacuating: isClosedToWork(cell) });
    else this.engine.removeCell(cellId);
  }

  applyActual(actual: ActualLRP): void {
    const cellId = cellOf(actual);
    this.hold(`lrp/${actualId(actual)}`, {
      tag: actual.modificationTag,
      ...(cellId === undefined ? {} : { cellId, work: workOfActual(actual) }),
    });
  }

  applyTask(task: Task): void {
    const cellId = task.cellId ?? task.placement?.cellId;
    this.hold(`task/${task.taskGuid}`, {
      tag: task.modificationTag,
      ...(cellId === undefined ? {} : { cellId, work: workOfTask(task) }),
    });
  }

  /** One event of the log. Returns true when it may let something be placed: new work, or room for it. */
  applyEvent(event: RiveraEvent): boolean {
    switch (event.type) {
      case 'actual_lrp_created':
        this.applyActual(event.after);
        return event.after.state === 'UNCLAIMED';
      case 'actual_lrp_changed':
        if (event.before.presence !== event.after.presence)
          this.drop(`lrp/${actualId(event.before)}`, event.before);
        this.applyActual(event.after);
        return cellOf(event.before) !== undefined && cellOf(event.after) === undefined;
      case 'actual_lrp_removed':
        this.drop(`lrp/${actualId(event.before)}`, event.before);
        return true;
      case 'task_created':
        this.applyTask(event.after);
        return true;
      case 'task_changed':
        this.applyTask(event.after);
        return event.after.cellId === undefined && event.after.placement === undefined;
      case 'task_removed':
        this.drop(`task/${event.before.taskGuid}`, event.before);
        return true;
      case 'cell_created':
      case 'cell_changed':
        this.applyCell(event.after, event.after.cellId);
        return true;
      case 'cell_removed':
        this.applyCell(undefined, event.before.cellId);
        return false;
      case 'actual_lrp_crashed':
      case 'desired_lrp_created':
      case 'desired_lrp_changed':
      case 'desired_lrp_removed':
      case 'deployment_created':
      case 'deployment_changed':
      case 'deployment_removed':
        return false;
    }
  }

  /** The auctioneer's own commit, ahead of the log. */
  applyChange(change: RecordChange): void {
    if (change.kind === 'actual' && change.after !== undefined) this.applyActual(change.after);
    if (change.kind === 'task' && change.after !== undefined) this.applyTask(change.after);
  }

  private hold(id: string, next: Holding): void {
    const known = this.holdings.get(id);
    if (known !== undefined && isOlder(next.tag, known.tag)) return;
    this.release(known);
    if (next.cellId !== undefined && next.work !== undefined) this.engine.reserve(next.cellId, next.work);
    this.holdings.set(id, next);
  }

  private drop(id: string, record: { modificationTag: ModificationTag }): void {
    const known = this.holdings.get(id);
    // Another record has taken this slot since.
    if (known === undefined || known.tag.epoch !== record.modificationTag.epoch) return;
    this.release(known);
    this.holdings.delete(id);
  }

  private release(holding: Holding | undefined): void {
    if (holding?.cellId !== undefined && holding.work !== undefined)
      this.engine.release(holding.cellId, holding.work);
  }
}

/** What an instance that is placed, claimed or running holds on its cell. */
export function workOfActual({ processGuid, resources, state }: ActualLRP): HeldWork {
  return { ...held(resources), processGuid, starting: state !== 'RUNNING' };
}

/** What a task that is placed or running holds on its cell. */
export function workOfTask({ definition, state }: Task): HeldWork {
  return { ...held(definition), starting: state === 'PENDING' };
}

function held({ memoryMb, diskMb }: HeldResources): HeldResources {
  return { memoryMb, diskMb };
}

function isOlder(a: ModificationTag, b: ModificationTag): boolean {
  return a.epoch === b.epoch && a.index <= b.index;
}
