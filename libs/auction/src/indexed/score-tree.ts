import type { CellOrder } from './cell-order.js';
import type { CellTable } from './cell-table.js';
import { CellTree } from './cell-tree.js';
import type { RoomTree } from './room-tree.js';

/** What makes a cell better than another for the kind of work a tree is for. */
export interface Preference {
  isTask: boolean;
  /** Instances of the app, or tasks, on a cell: they go before the score. */
  alikeOn(slot: number): number;
  /** What the same count adds to the score instead, as in strict mode. */
  alikeWeight: number;
}

/** A tournament: the best (alike, score) of the cells below each node. */
export class ScoreTree extends CellTree {
  alike = new Float64Array(0);
  score = new Float64Array(0);

  constructor(
    private readonly table: CellTable,
    order: CellOrder,
    /** Over the same cells. */
    readonly room: RoomTree,
    private readonly preference: Preference,
  ) {
    super(order);
  }

  protected clear(width: number): void {
    this.alike = new Float64Array(2 * width).fill(Infinity);
    this.score = new Float64Array(2 * width).fill(Infinity);
  }

  protected setLeaf(node: number, slot: number): boolean {
    const { isTask, alikeWeight } = this.preference;
    const count = this.preference.alikeOn(slot);
    const alike = alikeWeight === 0 ? count : 0;
    const score = this.table.ownScore(slot, isTask) + count * alikeWeight;
    return this.set(node, alike, score);
  }

  protected combine(node: number): boolean {
    const { alike, score } = this;
    const left = 2 * node;
    const right = left + 1;
    const isLeft =
      alike[left]! < alike[right]! || (alike[left] === alike[right] && score[left]! <= score[right]!);
    const best = isLeft ? left : right;
    return this.set(node, alike[best]!, score[best]!);
  }

  private set(node: number, alike: number, score: number): boolean {
    if (this.alike[node] === alike && this.score[node] === score) return false;
    this.alike[node] = alike;
    this.score[node] = score;
    return true;
  }
}
