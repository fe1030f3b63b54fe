import type { Auction, AuctionBatch } from './types.js';

/**
 * The order in which work is decided: first instances, then tasks, then further instances by index; boulders before
 * pebbles among equals; else as submitted (Diego auction, scheduler).
 *
 * In strict mode a batch without further instances has its first instances after the tasks: Diego splits the list of
 * instances at the first index above 0 and, finding none, takes all of it for the second half.
 */
export function orderOfWork({ lrps, tasks }: AuctionBatch, strict: boolean): Auction[] {
  const instances = lrps.toSorted((a, b) => a.index - b.index || b.memoryMb - a.memoryMb);
  const further = instances.findIndex(({ index }) => index > 0);
  const none = strict ? 0 : instances.length;
  const split = further === -1 ? none : further;
  return [
    ...instances.slice(0, split),
    ...tasks.toSorted((a, b) => b.memoryMb - a.memoryMb),
    ...instances.slice(split),
  ];
}
