import { status } from '@grpc/grpc-js';
import * as wire from '#rivera/diego-wire';
import type { Cell } from '#rivera/models';
import { type CellRepository, type Lock, type Locks, RedisLease, type Store } from '#rivera/store';
import { cellPresenceJson } from '../mapping/cells.js';

/** Who is the only active one of its kind in Rivera, as Diego's parts show by a lock. */
const SINGLETONS = ['auctioneer', 'converger'];
const MAX_VALUE_LENGTH = 4_096;
const MS_PER_S = 1_000;

/** An error as locket's clients know it: a gRPC status and a fixed text. */
export class LocketError extends Error {
  override readonly name = 'LocketError';

  constructor(
    readonly code: status,
    readonly details: string,
  ) {
    super(details);
  }
}

const collision = () => new LocketError(status.ALREADY_EXISTS, 'lock-collision');
const invalid = (what: string) => new LocketError(status.INVALID_ARGUMENT, what);
const missing = (what: string) => new LocketError(status.NOT_FOUND, what);

export interface LocketNeeds {
  store: Store;
  cells: CellRepository;
  locks: Locks;
  repUrlOf: (cellId: string) => string;
}

/**
 * Diego's locket (§6.1): the locks and presences that clients keep here, and beside them what Rivera knows by itself: cells
 * are presences, and whoever is active holds a lock. What is Rivera's nobody else can take or give up.
 */
export class Locket {
  constructor(private readonly needs: LocketNeeds) {}

  async lock({ resource, ttlInSeconds }: wire.LockRequest): Promise<wire.LockResponse> {
    const ttl = wire.toNumber(ttlInSeconds);
    if (ttl <= 0) throw invalid('invalid-ttl');
    const lock = lockOf(resource);
    if (await this.ours(lock.key)) throw collision();
    if (!(await this.needs.locks.lock(lock, ttl * MS_PER_S))) throw collision();
    return {};
  }

  async fetch({ key = '' }: wire.FetchRequest): Promise<wire.FetchResponse> {
    const found = (await this.ours(key)) ?? resourceOf(await this.needs.locks.get(key));
    if (found === undefined) throw missing('resource-not-found');
    return { resource: found };
  }

  async release({ resource }: wire.ReleaseRequest): Promise<wire.ReleaseResponse> {
    const { key = '', owner = '' } = resource ?? {};
    if (await this.ours(key)) throw collision();
    if (!(await this.needs.locks.release(key, owner))) throw collision();
    return {};
  }

  async fetchAll(request: wire.FetchAllRequest): Promise<wire.FetchAllResponse> {
    const type = typeOf(request);
    if (type === undefined) throw missing('invalid-type');
    const [own, kept] = await Promise.all([
      type === 'lock' ? this.singletons() : this.presences(),
      this.needs.locks.list(type),
    ]);
    return { resources: [...own, ...kept.map((lock) => resourceOf(lock)!)] };
  }

  /** What Rivera itself keeps under this name. */
  private async ours(key: string): Promise<wire.Resource | undefined> {
    if (SINGLETONS.includes(key)) return (await this.singletons()).find((resource) => resource.key === key);
    const cell = await this.needs.cells.get(key);
    return cell?.state === 'PRESENT' ? this.presenceOf(cell) : undefined;
  }

  private async singletons(): Promise<wire.Resource[]> {
    const tokens = await Promise.all(
      SINGLETONS.map(async (key) => ({
        key,
        token: await new RedisLease(this.needs.store.redis, key).holder(),
      })),
    );
    return tokens.flatMap(({ key, token }) =>
      token === undefined
        ? []
        : [{ key, owner: `token-${token}`, type: 'lock', typeCode: wire.TypeCode.LOCK }],
    );
  }

  private async presences(): Promise<wire.Resource[]> {
    const cells = await this.needs.cells.list();
    return cells.filter(({ state }) => state === 'PRESENT').map((cell) => this.presenceOf(cell));
  }

  private presenceOf(cell: Cell): wire.Resource {
    const { cellId, epoch } = cell;
    return {
      key: cellId,
      owner: `epoch-${epoch}`,
      value: cellPresenceJson(cell, this.needs.repUrlOf(cellId)),
      type: 'presence',
      typeCode: wire.TypeCode.PRESENCE,
    };
  }
}

function lockOf(resource: wire.Resource | null | undefined): Lock {
  const { key = '', owner = '', value = '' } = resource ?? {};
  if (owner === '') throw invalid('invalid-owner');
  const type = typeOf(resource ?? {});
  if (type === undefined) throw missing('invalid-type');
  if (value.length > MAX_VALUE_LENGTH) throw invalid('value-too-long');
  return { key, owner, value, type };
}

/** The number says it; clients of old have only the text. */
function typeOf({ type, typeCode }: Pick<wire.Resource, 'type' | 'typeCode'>): Lock['type'] | undefined {
  if (typeCode === wire.TypeCode.LOCK) return 'lock';
  if (typeCode === wire.TypeCode.PRESENCE) return 'presence';
  return type === 'lock' || type === 'presence' ? type : undefined;
}

function resourceOf(lock: Lock | undefined): wire.Resource | undefined {
  if (lock === undefined) return undefined;
  const typeCode = lock.type === 'lock' ? wire.TypeCode.LOCK : wire.TypeCode.PRESENCE;
  return { ...lock, value: lock.value || undefined, typeCode };
}
