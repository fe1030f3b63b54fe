import { isDeepStrictEqual } from 'node:util';
import type { RedisClient } from '#rivera/platform';
import { actualId } from '#rivera/lifecycle';
import { ALL_SHARDS, CELLS_SHARD, shardOf } from '#rivera/store';
import { readShard } from '../support/store-content.js';
import type { History } from './checker/history.js';
import type { LogReader } from './log-reader.js';

const MAX_LOOKS = 20;
const REPLAYED_KINDS = /^(desired|actual|task|cell|deployment) /;
/** Where messages of a mailbox may be. */
const LISTS = ['wait', 'active', 'paused'];
const SETS = ['delayed', 'prioritized', 'failed'];
/** What Rivera keeps in Redis; anything else has been left by somebody. */
const KNOWN_KEYS = [
  // What each cell last had its work changed by; a number a cell.
  /^rivera:\{s\d\d\}:cell-versions$/,
  /^rivera:\{(s\d\d|cells)\}:((ids:)?(desired|actual|task|cell|domain|deployment)|run|by-cell|unplaced|evacuating|due|callback|presence|converged|events|meta)$/,
  /^rivera:\{deployment\}:(layout|programs|migration)$/,
  /^rivera:\{lease-(auctioneer|converger)\}:(holder|tokens)$/,
  /^\{(cell-[^}]+|auctioneer|converger)\}:mailbox/,
];

/** What the store holds that does not fit together, or that its event log does not lead to. */
export async function storeViolations(reader: LogReader, history: History): Promise<string[]> {
  const violations: string[] = [];
  for (const shard of ALL_SHARDS) violations.push(...(await shardViolations(reader, history, shard)));
  return violations;
}

async function shardViolations(reader: LogReader, history: History, shard: number): Promise<string[]> {
  for (let look = 1; ; look += 1) {
    const { records, sequence, faults } = await readShard(reader.redis, shard, { isLive: true });
    await reader.catchUp();
    // Somebody has written in between, as when a task expires: look again.
    if (reader.sequenceOf(shard) !== sequence && look < MAX_LOOKS) continue;
    const told = recordsOf(history, shard);
    const names = new Set([
      ...told.keys(),
      ...[...records.keys()].filter((name) => REPLAYED_KINDS.test(name)),
    ]);
    const different = [...names].filter((name) => !isDeepStrictEqual(told.get(name), records.get(name)));
    return [...faults, ...different.map((name) => `${name} is not in the store what its events lead to`)];
  }
}

/** What the event log leads to in one shard. */
function recordsOf(history: History, shard: number): Map<string, object> {
  const records = new Map<string, object>();
  if (shard === CELLS_SHARD) {
    for (const [id, cell] of history.cells) records.set(`cell ${id}`, cell);
    return records;
  }
  for (const [id, lrp] of history.desired) if (shardOf(id) === shard) records.set(`desired ${id}`, lrp);
  for (const [id, task] of history.tasks) if (shardOf(id) === shard) records.set(`task ${id}`, task);
  for (const [id, one] of history.deployments)
    if (shardOf(id) === shard) records.set(`deployment ${id}`, one);
  for (const actual of history.actuals.values()) {
    if (shardOf(actual.processGuid) === shard) records.set(`actual ${actualId(actual)}`, actual);
  }
  return records;
}

/** What should be gone when all is calm: messages, leases, presences, keys that nobody knows. */
export async function leaks(redis: RedisClient, history: History): Promise<string[]> {
  const keys = await keysOf(redis);
  const strange = keys.filter((key) => !KNOWN_KEYS.some((known) => known.test(key)));
  const mailboxes = new Set(
    keys.flatMap((key) => /^(\{(?:cell-[^}]+|auctioneer|converger)\}:mailbox)/.exec(key)?.[1] ?? []),
  );
  const left = await Promise.all([...mailboxes].map((mailbox) => messagesOf(redis, mailbox, keys)));
  const gone = [...mailboxes].flatMap((mailbox) => {
    const cellId = /^\{cell-([^}]+)\}/.exec(mailbox)?.[1];
    return cellId === undefined || history.cells.has(cellId)
      ? []
      : [`cell ${cellId} is gone, and its mailbox is left`];
  });
  const holders = keys.filter((key) => key.endsWith(':holder')).length;
  const present = [...history.cells.values()].filter(({ state }) => state === 'PRESENT').length;
  const presences = await redis.zcard('rivera:{cells}:presence');
  return [
    ...strange.map((key) => `nobody knows the key ${key}`),
    ...left.flat(),
    ...gone,
    ...(holders === 2 ? [] : [`${holders} leases are held instead of 2`]),
    ...(presences === present ? [] : [`${presences} presences of ${present} cells that are there`]),
  ];
}

async function messagesOf(redis: RedisClient, mailbox: string, keys: readonly string[]): Promise<string[]> {
  const lists = await Promise.all(LISTS.map((list) => redis.lrange(`${mailbox}:${list}`, 0, -1)));
  const sets = await Promise.all(SETS.map((set) => redis.zrange(`${mailbox}:${set}`, 0, '-1')));
  const waiting = [...lists, ...sets].flat();
  const isMessage = new RegExp(`^${escaped(mailbox)}:(\\d+|ask-[^:]+)$`);
  const stray = keys.filter((key) => isMessage.test(key) && !waiting.includes(key.slice(mailbox.length + 1)));
  return [
    ...waiting.filter((id) => !id.startsWith('0:')).map((id) => `message ${id} is left in ${mailbox}`),
    ...stray.map((key) => `the message ${key} is in no list`),
  ];
}

async function keysOf(redis: RedisClient): Promise<string[]> {
  const keys = new Set<string>();
  let cursor = '0';
  do {
    const [next, found] = await redis.scan(cursor, 'COUNT', 1_000);
    for (const key of found) keys.add(key);
    cursor = next;
  } while (cursor !== '0');
  return [...keys];
}

function escaped(text: string): string {
  return text.replaceAll(/[{}.]/g, String.raw`\$&`);
}
