import type { HeldWork } from '#rivera/auction';
import type { ModificationTag } from '#rivera/models';
import { Interned } from './interned.js';
import { type Member, processGuidOf } from './work-member.js';

/** What a record holds on a cell. */
export interface Holding {
  cellId: string;
  work: HeldWork;
}

const FIRST_SLOTS = 1_024;

/**
 * Which record holds what on which cell, as of which version. Made for a million records: beside its name a record takes
 * 16 bytes, because cells and sizes are few and kept once.
 */
export class Holdings {
  private readonly slots = new Map<Member, number>();
  private readonly free: number[] = [];
  private readonly cellIds = new Interned<string>((cellId) => cellId);
  private readonly sizes = new Interned<HeldWork>((work) => JSON.stringify(work));
  private cells = new Uint32Array(FIRST_SLOTS);
  private works = new Uint32Array(FIRST_SLOTS);
  private epochs = new Uint32Array(FIRST_SLOTS);
  private indexes = new Uint32Array(FIRST_SLOTS);

  get size(): number {
    return this.slots.size;
  }

  get(member: Member): Holding | undefined {
    const slot = this.slots.get(member);
    if (slot === undefined) return undefined;
    const size = this.sizes.at(this.works[slot]!);
    const processGuid = processGuidOf(member);
    return {
      cellId: this.cellIds.at(this.cells[slot]!),
      work: processGuid === undefined ? size : { ...size, processGuid },
    };
  }

  set(member: Member, { cellId, work }: Holding, tag: ModificationTag): void {
    const slot = this.slots.get(member) ?? this.newSlot(member);
    const { processGuid: _processGuid, ...size } = work;
    this.cells[slot] = this.cellIds.idOf(cellId);
    this.works[slot] = this.sizes.idOf(size);
    this.epochs[slot] = epochHash(tag);
    this.indexes[slot] = tag.index;
  }

  delete(member: Member): void {
    const slot = this.slots.get(member);
    if (slot === undefined) return;
    this.slots.delete(member);
    this.free.push(slot);
  }

  /**
   * How the version that is known stands to this one; 'other' is that of a record that was made anew, or none known.
   */
  compare(member: Member, tag: ModificationTag): 'older' | 'same' | 'newer' | 'other' {
    const slot = this.slots.get(member);
    if (slot === undefined || this.epochs[slot] !== epochHash(tag)) return 'other';
    const known = this.indexes[slot]!;
    if (known === tag.index) return 'same';
    return known < tag.index ? 'older' : 'newer';
  }

  private newSlot(member: Member): number {
    const slot = this.free.pop() ?? this.slots.size;
    if (slot >= this.cells.length) this.grow();
    this.slots.set(member, slot);
    return slot;
  }

  private grow(): void {
    const grown = (array: Uint32Array<ArrayBuffer>) => {
      const larger = new Uint32Array(Math.ceil(array.length * 1.5));
      larger.set(array);
      return larger;
    };
    this.cells = grown(this.cells);
    this.works = grown(this.works);
    this.epochs = grown(this.epochs);
    this.indexes = grown(this.indexes);
  }
}

/**
 * Epochs are random UUIDs, so 32 bits of one tell two lives of a slot apart; if they ever did not, the next event of the
 * record would put it right.
 */
function epochHash({ epoch }: ModificationTag): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < epoch.length; at += 1) hash = Math.imul(hash ^ epoch.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
