import type { AuctionEngine, HeldWork } from '#rivera/auction';
import { cellOf, isClosedToWork } from '#rivera/lifecycle';
import type { ActualLRP, Cell, CellCapacity, ModificationTag, RiveraEvent, Task } from '#rivera/models';
import { workOfActual, workOfTask } from './auction-requests.js';
import type { CellTrust } from './cell-trust.js';
import { type Holding, Holdings } from './holdings.js';
import { type Member, memberOfActual, memberOfTask } from './work-member.js';

/**
 * Keeps the auction engine's view of the cells true to the store: loaded once, then moved on by the event log and, ahead
 * of the log, by the auctioneer's own decisions. What it has seen of a record already, or something newer, changes
 * nothing. Methods that may give a cell room, or let it start another container, return its id.
 */
export class CellPicture {
  private readonly holdings = new Holdings();
  private readonly cells = new Map<string, Cell>();

  constructor(
    readonly engine: AuctionEngine,
    private readonly trust: CellTrust,
  ) {}

  /** Records that hold something on a cell. */
  get held(): number {
    return this.holdings.size;
  }

  /** A cell as it describes itself; undefined when it is not present. */
  cell(cellId: string): Cell | undefined {
    return this.cells.get(cellId);
  }

  /** A cell that may be given work. */
  usableCell(cellId: string, now: number): Cell | undefined {
    const cell = this.cells.get(cellId);
    return cell === undefined || cell.evacuating || this.trust.isResting(cellId, now) ? undefined : cell;
  }

  /** All present cells. */
  presentCells(): Iterable<Cell> {
    return this.cells.values();
  }

  applyCell(cellId: string, cell: Cell | undefined, now: number): string | undefined {
    if (cell?.state === 'PRESENT') this.cells.set(cellId, { ...cell, evacuating: isClosedToWork(cell) });
    else this.cells.delete(cellId);
    this.admit(cellId, now);
    return this.cells.has(cellId) ? cellId : undefined;
  }

  /** Shows a cell to the engine as far as it is trusted: not while it rests, and with room for one while on trial. */
  admit(cellId: string, now: number): void {
    const { engine, trust } = this;
    const cell = this.cells.get(cellId);
    if (cell === undefined) {
      engine.removeCell(cellId);
    } else if (trust.isResting(cellId, now)) {
      engine.upsertCell({ ...cell, evacuating: true });
    } else {
      engine.upsertCell(cell);
      if (trust.isOnTrial(cellId, now)) engine.upsertCell(withRoomForOne(cell, engine.available(cellId)));
    }
  }

  applyActual(actual: ActualLRP): string | undefined {
    const cellId = cellOf(actual);
    const holding = cellId === undefined ? undefined : { cellId, work: workOfActual(actual) };
    return this.hold(memberOfActual(actual), actual.modificationTag, holding);
  }

  applyTask(task: Task): string | undefined {
    const cellId = task.cellId ?? task.placement?.cellId;
    const holding = cellId === undefined ? undefined : { cellId, work: workOfTask(task) };
    return this.hold(memberOfTask(task), task.modificationTag, holding);
  }

  applyEvent(event: RiveraEvent, now: number): string | undefined {
    switch (event.type) {
      case 'actual_lrp_created':
        return this.applyActual(event.after);
      case 'actual_lrp_changed': {
        const { before, after } = event;
        if (before.presence !== after.presence) this.drop(memberOfActual(before), before.modificationTag);
        return this.applyActual(after);
      }
      case 'actual_lrp_removed':
        return this.drop(memberOfActual(event.before), event.before.modificationTag);
      case 'task_created':
      case 'task_changed':
        return this.applyTask(event.after);
      case 'task_removed':
        return this.drop(memberOfTask(event.before), event.before.modificationTag);
      case 'cell_created':
      case 'cell_changed':
        return this.applyCell(event.after.cellId, event.after, now);
      case 'cell_removed':
        return this.applyCell(event.before.cellId, undefined, now);
      case 'actual_lrp_crashed':
      case 'desired_lrp_created':
      case 'desired_lrp_changed':
      case 'desired_lrp_removed':
      case 'deployment_created':
      case 'deployment_changed':
      case 'deployment_removed':
        return undefined;
    }
  }

  /** The engine has reserved this for a placement that is about to be committed as version `tag`. */
  assume(member: Member, cellId: string, work: HeldWork, tag: ModificationTag): void {
    // What it held before, of which the log has yet to say that it is over.
    this.release(member);
    this.holdings.set(member, { cellId, work }, tag);
  }

  /** That placement came to nothing. Whatever an event has said of the record since stands. */
  dismiss(member: Member, tag: ModificationTag): void {
    if (this.holdings.compare(member, tag) !== 'same') return;
    this.release(member);
    this.holdings.delete(member);
  }

  private hold(member: Member, tag: ModificationTag, next: Holding | undefined): string | undefined {
    const known = this.holdings.compare(member, tag);
    if (known === 'same' || known === 'newer') return undefined;
    const former = this.release(member);
    if (next === undefined) {
      this.holdings.delete(member);
      return former?.cellId;
    }
    this.engine.reserve(next.cellId, next.work);
    this.holdings.set(member, next, tag);
    const hasMoved = former !== undefined && former.cellId !== next.cellId;
    const hasStarted = former?.work.starting === true && next.work.starting === false;
    return hasMoved || hasStarted ? former.cellId : undefined;
  }

  /** The record is gone, unless the slot holds something newer. */
  private drop(member: Member, tag: ModificationTag): string | undefined {
    const known = this.holdings.compare(member, tag);
    if (known !== 'same' && known !== 'older') return undefined;
    const former = this.release(member);
    this.holdings.delete(member);
    return former?.cellId;
  }

  private release(member: Member): Holding | undefined {
    const holding = this.holdings.get(member);
    if (holding !== undefined) this.engine.release(holding.cellId, holding.work);
    return holding;
  }
}

function withRoomForOne(cell: Cell, available: CellCapacity | undefined): Cell {
  const { containers } = cell.capacity;
  const heldAndOne = containers - (available?.containers ?? containers) + 1;
  return { ...cell, capacity: { ...cell.capacity, containers: Math.min(containers, heldAndOne) } };
}
