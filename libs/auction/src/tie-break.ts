import { isTaskAuction } from './types.js';
import type { Auction } from './types.js';

const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;

/**
 * A well mixed 32-bit hash of a string (FNV-1a, finished as in MurmurHash3 because FNV alone leaves ids that differ
 * only in their last character close together).
 */
export function hash32(text: string): number {
  return finish(feed(OFFSET, text));
}

/** The hash of `workId`, without making that string. */
export function workHash(auction: Auction): number {
  if (isTaskAuction(auction)) return hash32(auction.taskGuid);
  return finish(feed(feed(OFFSET, auction.processGuid), `.${auction.index}`));
}

function feed(state: number, text: string): number {
  let hash = state;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), PRIME);
  return hash;
}

function finish(state: number): number {
  let hash = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * Of cells with equal scores the lowest rank wins: cells sit on a ring at the hash of their id, and work takes the
 * first one at or after the hash of its own id. Different work starts at different places, so ties spread like random,
 * yet every decision can be replayed; and because the cells' order on the ring is fixed, an indexed engine finds the
 * same cell without looking at all of them.
 */
export function tieRank(workHash: number, cellHash: number): number {
  return (cellHash - workHash) >>> 0;
}
