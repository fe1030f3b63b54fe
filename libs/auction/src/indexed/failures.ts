import type { HeldResources } from '#rivera/models';
import { leftOfSomething, shortages } from '../constraints.js';
import { failure } from '../placement-error.js';
import type { PlacementFailure, Resource } from '../types.js';
import type { Bucket } from './bucket.js';
import type { CellTable } from './cell-table.js';
import type { Constraint } from './constraint-table.js';
import { CONTAINERS, CPU, DISK, MEMORY, PORTS, STARTS } from './room-tree.js';

/** In whose name failures are counted. */
export interface FailureContext {
  table: CellTable;
  /** All cells that take part. */
  cells: number;
  isTask: boolean;
  strict: boolean;
}

/**
 * Why work without rules failed on all cells, counted without looking at those that are all short of something, or none of
 * them.
 */
export function failureOf(
  constraint: Constraint,
  needed: HeldResources,
  context: FailureContext,
): PlacementFailure {
  const why = failure(constraint.reason ?? 'resources', context.cells);
  why.mismatched = { ...constraint.mismatched };
  const add = (resource: Resource, cells: number) => {
    if (cells > 0) why.short[resource] = (why.short[resource] ?? 0) + cells;
  };
  for (const bucket of constraint.buckets) {
    why.full += bucket.order.size;
    countShort(bucket, needed, context, add);
    for (const slot of bucket.withoutCapacity) {
      const short = shortOf(slot, needed, context);
      if (short.length > 0) why.full += 1;
      for (const resource of short) add(resource, 1);
    }
  }
  return why;
}

/** The cells of a bucket that have some of everything. */
function countShort(
  { lrps, tasks, order }: Bucket,
  needed: HeldResources,
  { table, isTask, strict }: FailureContext,
  add: (resource: Resource, cells: number) => void,
): void {
  const { room } = isTask ? tasks : lrps;
  room.refresh();
  add('containers', room.countBelow(CONTAINERS, 1));
  add('disk', room.countBelow(DISK, needed.diskMb));
  add('memory', room.countBelow(MEMORY, needed.memoryMb));
  if (strict) return;
  const { cpuMillicores = 0, ports = 0, devices = [] } = needed;
  if (room.isLimitedOtherwise) {
    if (cpuMillicores > 0) add('cpu', room.countBelow(CPU, cpuMillicores));
    if (ports > 0) add('ports', room.countBelow(PORTS, ports));
    add('starts', room.countBelow(STARTS, 1));
  }
  if (devices.length > 0) {
    add('devices', order.slots.filter((slot) => !table.hasFurther(slot, { ...NOTHING, devices })).length);
  }
}

const NOTHING: HeldResources = { memoryMb: 0, diskMb: 0 };

function shortOf(slot: number, needed: HeldResources, { table, isTask, strict }: FailureContext): Resource[] {
  const left = table.leftToStart(slot);
  const usable = strict ? left : leftOfSomething(table.cells[slot]!.capacity, left);
  const proxy = isTask ? 0 : table.proxy[slot]!;
  return shortages(usable, { ...needed, memoryMb: needed.memoryMb + proxy }, strict);
}
