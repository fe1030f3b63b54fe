import type { Auction, AuctionBatch } from './types.js';

/**
 * The order in which work is decided: higher priorities, and among equal ones first instances, then tasks, then further instances by index; boulders before
 * pebbles among equals; else as submitted (Diego auction, scheduler).
 *
 * In strict mode a batch without further instances has its first instances after the tasks: Diego splits the list of
 * instances at the first index above 0 and, finding none, takes all of it for the second half.
 */
export function orderOfWork(batch: AuctionBatch, strict: boolean): Auction[] {
  if (strict || !hasPriorities(batch)) return inBands(batch, strict);
  const { lrps, tasks } = batch;
  const lrpsBy = groupBy(lrps, priorityOf);
  const tasksBy = groupBy(tasks, priorityOf);
  return [...new Set([...lrpsBy.keys(), ...tasksBy.keys()])]
    .toSorted((a, b) => b - a)
    .flatMap((each) => inBands({ lrps: lrpsBy.get(each) ?? [], tasks: tasksBy.get(each) ?? [] }, strict));
}

const priorityOf = ({ priority = 0 }: Auction): number => priority;

function hasPriorities({ lrps, tasks }: AuctionBatch): boolean {
  const hasOne = (auction: Auction) => priorityOf(auction) !== 0;
  return lrps.some(hasOne) || tasks.some(hasOne);
}

function inBands({ lrps, tasks }: AuctionBatch, strict: boolean): Auction[] {
  const byIndex = groupBy(lrps, ({ index }) => index);
  const bandsOf = (indices: number[]): Auction[] =>
    indices.flatMap((index) => (byIndex.get(index) ?? []).toSorted(bouldersFirst));
  const indices = [...byIndex.keys()].toSorted((a, b) => a - b);
  const further = indices.findIndex((index) => index > 0);
  const none = strict ? 0 : indices.length;
  const split = further === -1 ? none : further;
  return [
    ...bandsOf(indices.slice(0, split)),
    ...tasks.toSorted(bouldersFirst),
    ...bandsOf(indices.slice(split)),
  ];
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => number): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

const bouldersFirst = (a: Auction, b: Auction): number => b.memoryMb - a.memoryMb;
