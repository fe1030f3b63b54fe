import {
  actualId,
  type InstanceSnapshot,
  type ProcessSnapshot,
  type Records,
  type RunRecord,
  type Transition,
} from '#rivera/lifecycle';
import {
  type ActualLRP,
  type ActualLRPKey,
  type DesiredLRPSchedulingInfo,
  notFound,
  PRESENCES,
} from '#rivera/models';
import { type Page, type PageRequest, pageOfKind, recordsOf } from './pages.js';
import { shardOf, WORK_SHARD_IDS } from './shards.js';
import type { Fence } from './commit-batch.js';
import type { Lookup, RecordRef, Store, TransactOptions } from './store.js';
import { JsonTexts, Stored } from './stored.js';

export interface WriteOptions {
  fence?: Fence;
  /** Of the request that wants it, for the events. */
  traceId?: string;
  /** The rule creates what it is asked about, which most likely is not there yet. */
  isNew?: boolean;
}

/** A desired LRP as it is stored, in its two halves. */
export interface StoredDefinition {
  schedulingInfo: Stored<DesiredLRPSchedulingInfo>;
  run: Stored<RunRecord>;
}

/** One instance and what to do with it. */
export interface InstanceDecision extends ActualLRPKey {
  decide: (instance: InstanceSnapshot) => Transition;
}

/** Desired LRPs and their instances. A process guid and everything of it lives in one shard. */
export class ProcessRepository {
  constructor(private readonly store: Store) {}

  /** Applies a rule to everything of one process guid. Returns what changed. */
  async change(
    processGuid: string,
    decide: (process: ProcessSnapshot) => Transition,
    options: WriteOptions = {},
  ): Promise<Transition> {
    return this.transact(
      processGuid,
      (lookup, actualIds) => decide(processFrom(lookup, processGuid, actualIds)),
      options,
    );
  }

  /** The same, and the definition as the rule left it, or found it. */
  async changeDefinition(
    processGuid: string,
    decide: (process: ProcessSnapshot) => Transition,
    options: WriteOptions = {},
  ): Promise<{ transition: Transition; definition?: StoredDefinition }> {
    const texts = new JsonTexts();
    let read: Lookup | undefined;
    const transition = await this.transact(
      processGuid,
      (lookup, actualIds) => {
        read = lookup;
        return decide(processFrom(lookup, processGuid, actualIds));
      },
      { ...options, texts },
    );
    const half = <K extends 'desired' | 'run'>(kind: K): Stored<Records[K]> | undefined => {
      const change = transition.find((each) => each.kind === kind);
      if (change === undefined) return read?.(kind, processGuid);
      const after = change.after as Records[K] | undefined;
      return after && new Stored(shardOf(processGuid), processGuid, texts.valueOf(after), after);
    };
    const [schedulingInfo, run] = [half('desired'), half('run')];
    return { transition, definition: schedulingInfo && run && { schedulingInfo, run } };
  }

  /** Applies a rule to one instance slot. Returns what changed. */
  async changeInstance(
    { processGuid, index, decide }: InstanceDecision,
    options: WriteOptions = {},
  ): Promise<Transition> {
    return this.store.transact(
      shardOf(processGuid),
      instanceRefs({ processGuid, index }),
      (lookup) => decide(instanceFrom(lookup, { processGuid, index })),
      options,
    );
  }

  /**
   * The same for a rule whose outcome depends on what the instance runs: the definition is of the moment of the commit.
   */
  async changeInstanceOf(
    { processGuid, index, decide }: InstanceDecision,
    options: WriteOptions = {},
  ): Promise<{ transition: Transition; definition?: StoredDefinition }> {
    let definition: StoredDefinition | undefined;
    const transition = await this.store.transact(
      shardOf(processGuid),
      [...instanceRefs({ processGuid, index }), { kind: 'run', id: processGuid }],
      (lookup) => {
        const schedulingInfo = lookup('desired', processGuid);
        const run = lookup('run', processGuid);
        definition = schedulingInfo && run && { schedulingInfo, run };
        return decide(instanceFrom(lookup, { processGuid, index }));
      },
      options,
    );
    return { transition, definition };
  }

  /** Applies rules to many instances of one shard in one commit: all of them or none. */
  async changeInstances(
    shard: number,
    decisions: InstanceDecision[],
    options: WriteOptions = {},
  ): Promise<Transition> {
    return this.store.transact(
      shard,
      uniqueRefs(decisions.flatMap((key) => instanceRefs(key))),
      (lookup) => decisions.flatMap(({ decide, ...key }) => decide(instanceFrom(lookup, key))),
      options,
    );
  }

  private async transact(
    processGuid: string,
    decide: (lookup: Lookup, actualIds: string[]) => Transition,
    options: TransactOptions,
  ): Promise<Transition> {
    return this.store.transact(
      shardOf(processGuid),
      [
        { kind: 'desired', id: processGuid },
        { kind: 'run', id: processGuid },
      ],
      decide,
      { ...options, allOf: { kind: 'actual', prefix: `${processGuid}/` } },
    );
  }

  async schedulingInfo(processGuid: string): Promise<DesiredLRPSchedulingInfo | undefined> {
    return this.store.get(shardOf(processGuid), 'desired', processGuid);
  }

  /** Scheduling information of many process guids, those that exist. */
  async schedulingInfos(processGuids: string[]): Promise<DesiredLRPSchedulingInfo[]> {
    return (await this.storedSchedulingInfos(processGuids)).map(({ record }) => record);
  }

  async storedSchedulingInfos(processGuids: string[]): Promise<Stored<DesiredLRPSchedulingInfo>[]> {
    return this.byProcessGuid('desired', processGuids);
  }

  /** Both halves. Errors: `not-found`. */
  async desired(processGuid: string): Promise<{ schedulingInfo: DesiredLRPSchedulingInfo; run: RunRecord }> {
    const { schedulingInfo, run } = await this.definition(processGuid);
    return { schedulingInfo: schedulingInfo.record, run: run.record };
  }

  /** The same for those who may do without parsing them. */
  async definition(processGuid: string): Promise<StoredDefinition> {
    const shard = shardOf(processGuid);
    const [[schedulingInfo], [run]] = await Promise.all([
      this.store.getStored(shard, 'desired', [processGuid]),
      this.store.getStored(shard, 'run', [processGuid]),
    ]);
    if (schedulingInfo === undefined || run === undefined) throw notFound('desired LRP', processGuid);
    return { schedulingInfo, run };
  }

  async runInfos(processGuids: string[]): Promise<RunRecord[]> {
    return (await this.storedRunInfos(processGuids)).map(({ record }) => record);
  }

  async storedRunInfos(processGuids: string[]): Promise<Stored<RunRecord>[]> {
    return this.byProcessGuid('run', processGuids);
  }

  async desiredPage(page: PageRequest): Promise<Page<Stored<DesiredLRPSchedulingInfo>>> {
    return pageOfKind(this.store, 'desired', page);
  }

  async storedActualPage(page: PageRequest): Promise<Page<Stored<ActualLRP>>> {
    return pageOfKind(this.store, 'actual', page);
  }

  async actualPage(page: PageRequest): Promise<Page<ActualLRP>> {
    return recordsOf(await this.storedActualPage(page));
  }

  async actualsOf(processGuid: string): Promise<ActualLRP[]> {
    return (await this.storedActualsOf(processGuid)).map(({ record }) => record);
  }

  /** The same for those who may do without parsing them. */
  async storedActualsOf(processGuid: string): Promise<Stored<ActualLRP>[]> {
    const shard = shardOf(processGuid);
    return this.store.getStored(
      shard,
      'actual',
      await this.store.ids(shard, 'actual', { prefix: `${processGuid}/` }),
    );
  }

  /** Everything of one process guid, without the run half, as it is read: what is decided on it is not guarded. */
  async snapshot(processGuid: string): Promise<ProcessSnapshot> {
    const [desired, actuals] = await Promise.all([
      this.schedulingInfo(processGuid),
      this.actualsOf(processGuid),
    ]);
    return { processGuid, desired, actuals };
  }

  /** Instances that a cell holds or has been given. */
  async actualsOnCell(cellId: string): Promise<ActualLRP[]> {
    return (await this.storedActualsOnCell(cellId)).map(({ record }) => record);
  }

  /** The same for those who may do without parsing them. */
  async storedActualsOnCell(cellId: string): Promise<Stored<ActualLRP>[]> {
    const perShard = await Promise.all(
      WORK_SHARD_IDS.map(async (shard) => {
        const prefix = `${cellId}/lrp/`;
        const members = await this.store.membersByName(shard, 'by-cell', { prefix });
        if (members.length === 0) return [];
        return this.store.getStored(
          shard,
          'actual',
          members.map((member) => member.slice(prefix.length)),
        );
      }),
    );
    return perShard.flat();
  }

  /** How many instances are kept on cells that leave, in all. */
  async countEvacuating(): Promise<number> {
    const perShard = await Promise.all(WORK_SHARD_IDS.map((shard) => this.store.count(shard, 'evacuating')));
    return perShard.reduce((total, count) => total + count, 0);
  }

  /** Everything of one shard, process by process, without the run halves. */
  async snapshotsOfShard(shard: number): Promise<ProcessSnapshot[]> {
    const [desiredIds, actualIds] = await Promise.all([
      this.store.ids(shard, 'desired'),
      this.store.ids(shard, 'actual'),
    ]);
    const [desired, actuals] = await Promise.all([
      this.store.getAll(shard, 'desired', desiredIds),
      this.store.getAll(shard, 'actual', actualIds),
    ]);
    return snapshotsFrom(desired, actuals);
  }

  /** Everything of those processes of a shard that have an instance on one of these cells, or given to it. */
  async snapshotsOnCells(shard: number, cellIds: string[]): Promise<ProcessSnapshot[]> {
    const members = await Promise.all(
      cellIds.map((cellId) => this.store.membersByName(shard, 'by-cell', { prefix: `${cellId}/lrp/` })),
    );
    // <cell>/lrp/<process guid>/<index>/<presence>
    const guids = [...new Set(members.flat().map((member) => member.split('/')[2]!))];
    const [desired, actualIds] = await Promise.all([
      this.store.getAll(shard, 'desired', guids),
      Promise.all(guids.map((guid) => this.store.ids(shard, 'actual', { prefix: `${guid}/` }))),
    ]);
    return snapshotsFrom(desired, await this.store.getAll(shard, 'actual', actualIds.flat()));
  }

  async actualsById(shard: number, ids: string[]): Promise<ActualLRP[]> {
    return this.store.getAll(shard, 'actual', ids);
  }

  private async byProcessGuid<K extends 'desired' | 'run'>(
    kind: K,
    processGuids: string[],
  ): Promise<Stored<Records[K]>[]> {
    const guidsByShard = new Map<number, string[]>();
    for (const guid of processGuids) {
      const shard = shardOf(guid);
      const guids = guidsByShard.get(shard) ?? [];
      guids.push(guid);
      guidsByShard.set(shard, guids);
    }
    const perShard = await Promise.all(
      [...guidsByShard].map(([shard, guids]) => this.store.getStored(shard, kind, guids)),
    );
    return perShard.flat();
  }
}

function snapshotsFrom(desired: DesiredLRPSchedulingInfo[], actuals: ActualLRP[]): ProcessSnapshot[] {
  const snapshots = new Map<string, ProcessSnapshot>(
    desired.map((info) => [info.processGuid, { processGuid: info.processGuid, desired: info, actuals: [] }]),
  );
  for (const actual of actuals) {
    const { processGuid } = actual;
    const snapshot = snapshots.get(processGuid) ?? { processGuid, actuals: [] };
    snapshot.actuals.push(actual);
    snapshots.set(processGuid, snapshot);
  }
  return [...snapshots.values()];
}

function processFrom(lookup: Lookup, processGuid: string, actualIds: string[]): ProcessSnapshot {
  return {
    processGuid,
    desired: lookup('desired', processGuid)?.record,
    // Large, and hardly any rule looks at it.
    get run() {
      return lookup('run', processGuid)?.record;
    },
    actuals: actualIds.map((id) => lookup('actual', id)?.record).filter((row) => row !== undefined),
  };
}

function instanceRefs({ processGuid, index }: ActualLRPKey): RecordRef[] {
  return [
    { kind: 'desired', id: processGuid },
    ...PRESENCES.map((presence) => ({
      kind: 'actual' as const,
      id: actualId({ processGuid, index, presence }),
    })),
  ];
}

function instanceFrom(lookup: Lookup, { processGuid, index }: ActualLRPKey): InstanceSnapshot {
  const row = (presence: ActualLRP['presence']) =>
    lookup('actual', actualId({ processGuid, index, presence }))?.record;
  return {
    processGuid,
    index,
    // Few rules of an instance look at it.
    get desired() {
      return lookup('desired', processGuid)?.record;
    },
    ordinary: row('ORDINARY'),
    evacuating: row('EVACUATING'),
    suspect: row('SUSPECT'),
  };
}

function uniqueRefs(refs: RecordRef[]): RecordRef[] {
  return [...new Map(refs.map((ref) => [`${ref.kind} ${ref.id}`, ref])).values()];
}
