import {
  type Context,
  loseCell,
  registerCell,
  removeCell,
  restoreCell,
  type Transition,
  upsertDomain,
} from '#rivera/lifecycle';
import { type Cell, type CellRegistration, type Domain, notFound } from '#rivera/models';
import type { WriteOptions } from './process-repository.js';
import { CELL_VERSIONS, type Fence } from './commit-batch.js';
import { Gathering } from './gathering.js';
import { orUnavailable } from './redis.js';
import { versionOf } from './stored.js';
import { CELLS_SHARD, shardKey, WORK_SHARD_IDS } from './shards.js';
import type { Store } from './store.js';

const PRESENCE = 'presence';
/** One member, whose score is the number of an event. */
const CONVERGED = 'converged';
const CELLS = 'cells';

/** Presences and comparisons come from each cell all the time and hardly ever change anything. */
const GATHERED_FOR_MS = 250;

interface Renewal {
  cellId: string;
  /** The cell must still have it. */
  version: string;
  expiresAt: number;
}

/** What a cell compares itself with. */
export interface CellWork {
  cell?: Cell;
  /** As long as it is the same, so is everything that the store says about the work of the cell. */
  version: string;
}

/** Cells, their presence, and domains. */
export class CellRepository {
  /** What cells said last over this process, and their records as that left them. */
  private readonly registered = new Map<string, { said: string; cell: Cell }>();
  private readonly renewals = new Gathering<Renewal, boolean>(GATHERED_FOR_MS, (renewals) =>
    this.renew(renewals),
  );
  private readonly works = new Gathering<string, CellWork>(GATHERED_FOR_MS, (cellIds) =>
    this.readWork(cellIds),
  );

  constructor(private readonly store: Store) {}

  async get(cellId: string): Promise<Cell | undefined> {
    return this.store.get(CELLS_SHARD, 'cell', cellId);
  }

  async list(): Promise<Cell[]> {
    return this.store.getAll(CELLS_SHARD, 'cell', await this.store.ids(CELLS_SHARD, 'cell'));
  }

  /** The number of the last event of a cell: as long as it is the same, none has changed (presences are no part of cells). */
  async lastEvent(): Promise<number> {
    return Number(await orUnavailable(() => this.store.redis.hget(shardKey(CELLS_SHARD, 'meta'), 'seq')));
  }

  /** The event of cells up to which all work has been judged by them; undefined when nobody ever has. */
  async convergedUpTo(): Promise<number | undefined> {
    const score = await orUnavailable(() => this.store.redis.zscore(shardKey(CELLS_SHARD, CONVERGED), CELLS));
    return score === null ? undefined : Number(score);
  }

  /** So that the next converger need not judge all of it again. */
  async markConverged(sequence: number, { fence }: { fence: Fence }): Promise<void> {
    await this.store.commit(CELLS_SHARD, [], {
      fence,
      sets: [{ set: CONVERGED, member: CELLS, score: sequence }],
    });
  }

  /** A cell says it is there until `expiresAt`, in milliseconds since the Unix epoch. Returns the cell as it is now. */
  async register(
    cellId: string,
    registration: CellRegistration,
    { epoch, expiresAt }: { epoch?: number; expiresAt: number },
    context: Context,
    options: WriteOptions = {},
  ): Promise<{ cell: Cell; transition: Transition }> {
    const presence = { set: PRESENCE, member: cellId, score: expiresAt };
    const said = JSON.stringify([epoch, registration]);
    const known = this.registered.get(cellId);
    if (known?.said === said) {
      // By far the most: the same as the last time, of a cell that nobody has changed since. Nothing need be read for that.
      const version = versionOf(known.cell.modificationTag);
      const isSame = await this.renewals.ask({ cellId, version, expiresAt });
      if (isSame) return { cell: known.cell, transition: [] };
      this.registered.delete(cellId);
    }
    const role = `cell:${cellId}`;
    const lastEpoch = epoch === undefined ? await this.store.highestToken(role) : undefined;
    let cell: Cell | undefined;
    const transition = await this.store.transact(
      CELLS_SHARD,
      [{ kind: 'cell', id: cellId }],
      (lookup) => {
        cell = lookup('cell', cellId)?.record;
        const changes = registerCell(cell, cellId, registration, { epoch, lastEpoch }, context);
        cell = (changes[0]?.after as Cell | undefined) ?? cell;
        return changes;
      },
      { ...options, sets: [presence] },
    );
    if (cell === undefined) throw new TypeError(`Cell ${cellId} was registered without a record.`);
    if (epoch === undefined) await this.store.fence({ role, token: cell.epoch });
    this.registered.set(cellId, { said: JSON.stringify([cell.epoch, registration]), cell });
    return { cell, transition };
  }

  /** Cells whose presence has run out, with the moment it did. */
  async expired(now: number): Promise<{ cellId: string; expiresAt: number }[]> {
    const members = await this.store.membersByScore(CELLS_SHARD, PRESENCE, now);
    return members.map(({ member, score }) => ({ cellId: member, expiresAt: score }));
  }

  /** When the next presence runs out, in milliseconds since the Unix epoch. */
  async nextExpiry(): Promise<number | undefined> {
    const [first] = await this.store.membersByScore(CELLS_SHARD, PRESENCE, Infinity, 1);
    return first?.score;
  }

  /** A cell, and what stands for all of its work. The version is never newer than work that is read afterwards. */
  work(cellId: string): Promise<CellWork> {
    return this.works.ask(cellId);
  }

  /**
   * Forgets how often work of a cell has changed in a shard, where nothing is left of it. Cells that come back start at a
   * new epoch, so no tag of theirs can be taken for another.
   *
   * @param isThere cells that are not forgotten
   * @returns how many cells were forgotten
   */
  async forgetVersions(
    shard: number,
    isThere: (cellId: string) => boolean,
    options: WriteOptions = {},
  ): Promise<number> {
    const { redis } = this.store;
    const counted = await orUnavailable(() =>
      redis.zrange(shardKey(shard, CELL_VERSIONS), 0, '-1', 'WITHSCORES'),
    );
    let forgotten = 0;
    for (let i = 0; i + 1 < counted.length; i += 2) {
      const [cellId, score] = [counted[i]!, Number(counted[i + 1])];
      if (isThere(cellId)) continue;
      const held = await this.store.membersByName(shard, 'by-cell', { prefix: `${cellId}/`, limit: 1 });
      if (held.length > 0) continue;
      const member = { set: CELL_VERSIONS, member: cellId };
      // Whoever gives it work meanwhile counts it up.
      const scores = [{ ...member, score }];
      if (await this.store.commit(shard, [], { ...options, scores, sets: [member] })) forgotten += 1;
    }
    return forgotten;
  }

  /** Applies an operator's rule to one cell. Errors: `not-found`. Returns the cell as it is now. */
  async change(
    cellId: string,
    decide: (cell: Cell) => Transition,
    options: WriteOptions = {},
  ): Promise<Cell> {
    let cell: Cell | undefined;
    const transition = await this.store.transact(
      CELLS_SHARD,
      [{ kind: 'cell', id: cellId }],
      (lookup) => {
        cell = lookup('cell', cellId)?.record;
        if (cell === undefined) throw notFound('cell', cellId);
        return decide(cell);
      },
      options,
    );
    return (transition[0]?.after as Cell | undefined) ?? cell!;
  }

  /** Puts a cell of an export in its place; one that is present has until `expiresAt` to say that it still is. */
  async restore(exported: Cell, expiresAt: number, options: WriteOptions = {}): Promise<Transition> {
    for (;;) {
      const transition = restoreCell(await this.get(exported.cellId), exported);
      const isNew = transition.some(({ before }) => before === undefined);
      const presence = { set: PRESENCE, member: exported.cellId, score: expiresAt };
      const sets = isNew && exported.state === 'PRESENT' ? [presence] : [];
      if (transition.length === 0) return transition;
      if (await this.store.commit(CELLS_SHARD, transition, { ...options, sets })) return transition;
    }
  }

  /** Marks a cell MISSING unless it has renewed its presence since `expiresAt` was read. */
  async lose(
    cellId: string,
    { expiresAt, isHeld }: { expiresAt: number; isHeld: boolean },
    context: Context,
    options: WriteOptions = {},
  ): Promise<Transition> {
    const cell = await this.get(cellId);
    const transition = loseCell(cell, isHeld, context);
    const isLost = await this.store.commit(CELLS_SHARD, transition, {
      ...options,
      scores: [{ set: PRESENCE, member: cellId, score: expiresAt }],
      sets: [{ set: PRESENCE, member: cellId }],
    });
    return isLost ? transition : [];
  }

  /** Forgets a cell: it left, or it was MISSING for too long. */
  async remove(cellId: string, options: WriteOptions = {}): Promise<Transition> {
    this.registered.delete(cellId);
    return this.store.transact(
      CELLS_SHARD,
      [{ kind: 'cell', id: cellId }],
      (lookup) => removeCell(lookup('cell', cellId)?.record),
      {
        ...options,
        sets: [{ set: PRESENCE, member: cellId }],
      },
    );
  }

  async domains(): Promise<Domain[]> {
    return this.store.getAll(CELLS_SHARD, 'domain', await this.store.ids(CELLS_SHARD, 'domain'));
  }

  async upsertDomain(
    domain: string,
    ttlSeconds: number,
    context: Context,
    options: WriteOptions = {},
  ): Promise<Domain> {
    const transition = await this.store.transact(
      CELLS_SHARD,
      [{ kind: 'domain', id: domain }],
      (lookup) => upsertDomain(lookup('domain', domain)?.record, domain, ttlSeconds, context),
      options,
    );
    return transition[0]?.after as Domain;
  }

  /** Forgets a domain whose freshness has run out. */
  async removeExpiredDomain(domain: string, now: number, options: WriteOptions = {}): Promise<Transition> {
    return this.store.transact(
      CELLS_SHARD,
      [{ kind: 'domain', id: domain }],
      (lookup) => {
        const before = lookup('domain', domain)?.record;
        return before?.expiresAt !== undefined && before.expiresAt <= now ? [{ kind: 'domain', before }] : [];
      },
      options,
    );
  }

  /** All of them, or none: one of the cells has changed since its presence was last renewed here. */
  private async renew(renewals: readonly Renewal[]): Promise<boolean[]> {
    const areSame = await this.store.commit(CELLS_SHARD, [], {
      unchanged: renewals.map(({ cellId, version }) => ({ kind: 'cell', id: cellId, version })),
      sets: renewals.map(({ cellId, expiresAt }) => ({ set: PRESENCE, member: cellId, score: expiresAt })),
    });
    return renewals.map(() => areSame);
  }

  private async readWork(cellIds: string[]): Promise<CellWork[]> {
    const { redis } = this.store;
    const [cells, ...counts] = await Promise.all([
      Promise.all(cellIds.map((cellId) => this.get(cellId))),
      ...WORK_SHARD_IDS.map((shard) =>
        orUnavailable(() => redis.zmscore(shardKey(shard, CELL_VERSIONS), cellIds)),
      ),
    ]);
    return cells.map((cell, i) => ({ cell, version: counts.map((ofShard) => ofShard[i] ?? '').join() }));
  }
}
