import type { HeldResources } from '#rivera/models';
import { leftOfSomething, shortages } from '../constraints.js';
import { failure } from '../placement-error.js';
import type { PlacementFailure } from '../types.js';
import type { CellTable } from './cell-table.js';
import { CONTAINERS, DISK, MEMORY } from './room-tree.js';
import type { Constraint } from './constraint-table.js';

/** Why work failed on all cells, counted without looking at those that are all short of something, or none of them. */
export function failureOf(
  constraint: Constraint,
  { memoryMb, diskMb }: HeldResources,
  { table, cells, isTask, strict }: { table: CellTable; cells: number; isTask: boolean; strict: boolean },
): PlacementFailure {
  const why = failure(constraint.reason ?? 'resources', cells);
  why.mismatched = { ...constraint.mismatched };
  for (const { lrps, tasks, order, withoutCapacity } of constraint.buckets) {
    const { room } = isTask ? tasks : lrps;
    room.refresh();
    why.full += order.size;
    why.short.containers += room.countBelow(CONTAINERS, 1);
    why.short.disk += room.countBelow(DISK, diskMb);
    why.short.memory += room.countBelow(MEMORY, memoryMb);
    for (const slot of withoutCapacity) {
      const left = table.leftOn(slot);
      const usable = strict ? left : leftOfSomething(table.cells[slot]!.capacity, left);
      const proxy = isTask ? 0 : table.proxy[slot]!;
      const short = shortages(usable, { memoryMb: memoryMb + proxy, diskMb });
      if (short.length > 0) why.full += 1;
      for (const resource of short) why.short[resource] += 1;
    }
  }
  return why;
}
