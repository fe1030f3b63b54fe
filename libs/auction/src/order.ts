import type { Auction, AuctionBatch, LRPAuction } from './types.js';

/**
 * The order in which work is decided: first instances, then tasks, then further instances by index; boulders before
 * pebbles among equals; else as submitted (Diego auction, scheduler).
 *
 * In strict mode a batch without further instances has its first instances after the tasks: Diego splits the list of
 * instances at the first index above 0 and, finding none, takes all of it for the second half.
 */
export function orderOfWork({ lrps, tasks }: AuctionBatch, strict: boolean): Auction[] {
  const byIndex = new Map<number, LRPAuction[]>();
  for (const lrp of lrps) {
    const alike = byIndex.get(lrp.index);
    if (alike === undefined) byIndex.set(lrp.index, [lrp]);
    else alike.push(lrp);
  }
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

const bouldersFirst = (a: Auction, b: Auction): number => b.memoryMb - a.memoryMb;
