import { RiveraError } from '#rivera/models';

/** The name of an actor that has a mailbox: `cell.<id>`, `auctioneer` or `converger`. */
export type Address = string;

export const AUCTIONEER: Address = 'auctioneer';
export const CONVERGER: Address = 'converger';

/**
 * Part of a Redis key and of an ACL pattern (`~{cell-<id>}:*`), so nothing that means something there: no glob
 * characters, no braces, no colon.
 */
const CELL_ID = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/** The address of a cell's mailbox. Throws `invalid-request` for an id that may not be part of a Redis key. */
export function cellAddress(cellId: string): Address {
  if (!CELL_ID.test(cellId)) {
    throw new RiveraError(
      'invalid-request',
      `The cell id ${JSON.stringify(cellId)} cannot name a mailbox; use 1 to 128 letters, digits, ".", "_" or "-".`,
    );
  }
  return `cell.${cellId}`;
}

/**
 * Where a mailbox lives in Redis: a BullMQ queue `mailbox` whose prefix is the actor's hash tag, so that all keys of one
 * mailbox share a slot of a Redis Cluster and different mailboxes spread over its nodes.
 */
export function mailboxQueue(address: Address): { name: 'mailbox'; prefix: string } {
  if (address === AUCTIONEER || address === CONVERGER) return { name: 'mailbox', prefix: `{${address}}` };
  if (!address.startsWith('cell.')) {
    throw new RiveraError(
      'invalid-request',
      `There is no actor at ${JSON.stringify(address)}; use "${AUCTIONEER}", "${CONVERGER}" or cellAddress(id).`,
    );
  }
  const cellId = address.slice('cell.'.length);
  return { name: 'mailbox', prefix: `{${cellAddress(cellId).replace('.', '-')}}` };
}
