import type { ScoreTree } from './score-tree.js';

const NO_CELL = -1;

/**
 * Trees and single cells, each with a key of a few numbers: the lower comes first, its first number deciding, and so on.
 * The last numbers of a key are instances by rule of spread; whoever is more than the allowed skew above the lowest does
 * not come at all, nor does a key with an infinite number. Made anew for each search, without making objects.
 */
export class KeyedCells {
  /** Of the group that `first` or `next` has come to. */
  readonly trees: ScoreTree[] = [];
  readonly cells: number[] = [];

  private maxSkews: readonly number[] = [];
  /** By rule of spread, the fewest instances of any tree's cells. */
  private least: number[] = [];
  private width = 2;
  private count = 0;
  private keys: number[] = [];
  private readonly treeOf: (ScoreTree | undefined)[] = [];
  private readonly slotOf: number[] = [];
  /** The entry whose group was the last. */
  private current = 0;

  begin(maxSkews: readonly number[]): void {
    this.maxSkews = maxSkews;
    this.least = maxSkews.map(() => Infinity);
    this.width = 2 + maxSkews.length;
    this.count = 0;
  }

  /** Forgets the entries, but not which skew is allowed. */
  keepSkew(): void {
    this.count = 0;
  }

  setKey(at: number, value: number): void {
    this.keys[this.count * this.width + at] = value;
  }

  setSpread(rule: number, instances: number): void {
    this.setKey(2 + rule, instances);
  }

  /** A tree stands for all cells that match: they say where instances are fewest. */
  addTree(tree: ScoreTree): void {
    const at = this.count * this.width + 2;
    for (let rule = 0; rule < this.maxSkews.length; rule += 1) {
      this.least[rule] = Math.min(this.least[rule]!, this.keys[at + rule]!);
    }
    this.treeOf[this.count] = tree;
    this.slotOf[this.count] = NO_CELL;
    this.count += 1;
  }

  addCell(slot: number): void {
    this.treeOf[this.count] = undefined;
    this.slotOf[this.count] = slot;
    this.count += 1;
  }

  /** Comes to the group with the lowest key; false when there is none. */
  first(): boolean {
    return this.moveTo(undefined);
  }

  next(): boolean {
    return this.moveTo(this.current);
  }

  private moveTo(after: number | undefined): boolean {
    let best: number | undefined;
    for (let entry = 0; entry < this.count; entry += 1) {
      if (after !== undefined && this.compare(entry, after) <= 0) continue;
      if (best !== undefined && this.compare(entry, best) >= 0) continue;
      if (this.isAllowed(entry)) best = entry;
    }
    if (best === undefined) return false;
    this.current = best;
    this.trees.length = 0;
    this.cells.length = 0;
    for (let entry = best; entry < this.count; entry += 1) {
      if (this.compare(entry, best) !== 0) continue;
      const tree = this.treeOf[entry];
      if (tree === undefined) this.cells.push(this.slotOf[entry]!);
      else this.trees.push(tree);
    }
    return true;
  }

  private isAllowed(entry: number): boolean {
    const at = entry * this.width;
    if (this.keys[at] === Infinity) return false;
    for (let rule = 0; rule < this.maxSkews.length; rule += 1) {
      const instances = this.keys[at + 2 + rule]!;
      if (!(instances + 1 - this.least[rule]! <= this.maxSkews[rule]!)) return false;
    }
    return true;
  }

  private compare(a: number, b: number): number {
    const { keys, width } = this;
    for (let at = 0; at < width; at += 1) {
      const difference = keys[a * width + at]! - keys[b * width + at]!;
      if (difference > 0) return 1;
      if (difference < 0) return -1;
    }
    return 0;
  }
}
