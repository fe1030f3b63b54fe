import type { Auction } from '#rivera/auction';
import { isUnplaced, isUnplacedTask } from '#rivera/lifecycle';
import type { ActualLRP, Task } from '#rivera/models';
import { ProcessRepository, TaskRepository } from '#rivera/store';
import { auctionOfInstance, auctionOfTask } from './auction-requests.js';
import {
  isTaskMember,
  type Member,
  memberOfActual,
  memberOfTask,
  processGuidOf,
  recordIdOf,
  shardOfMember,
} from './work-member.js';

/** A record of work, as last read. */
export type WorkRecord = { kind: 'actual'; record: ActualLRP } | { kind: 'task'; record: Task };

/** A record that waits for a cell, and what it asks of one. */
export type UnplacedRecord = WorkRecord & { member: Member; auction: Auction };

export interface WorkRead {
  unplaced: UnplacedRecord[];
  /** Given to a cell already, which has not taken it yet. */
  placed: WorkRecord[];
}

/** Reads what names of unplaced work stand for, all in one round trip. */
export class WorkReader {
  constructor(
    private readonly processes: ProcessRepository,
    private readonly tasks: TaskRepository,
    /** Cells on which an app has failed lately. */
    private readonly failedOn: (processGuid: string) => string[],
  ) {}

  async read(members: readonly Member[]): Promise<WorkRead> {
    const guids = new Set(members.map(processGuidOf).filter((guid) => guid !== undefined));
    const [infos, ...perShard] = await Promise.all([
      this.processes.schedulingInfos([...guids]),
      ...[...membersByShard(members)].map(([shard, ofShard]) => this.readShard(shard, ofShard)),
    ]);
    const desired = new Map(infos.map((info) => [info.processGuid, info]));
    const read: WorkRead = { unplaced: [], placed: [] };
    for (const work of perShard.flat()) {
      if (work.record.placement !== undefined) {
        read.placed.push(work);
      } else if (work.kind === 'task') {
        if (!isUnplacedTask(work.record)) continue;
        read.unplaced.push({
          ...work,
          member: memberOfTask(work.record),
          auction: auctionOfTask(work.record, work.record),
        });
      } else {
        // Without its desired LRP it is about to go.
        const info = desired.get(work.record.processGuid);
        if (info === undefined || !isUnplaced(work.record)) continue;
        const auction = auctionOfInstance(info, work.record, this.failedOn(info.processGuid));
        read.unplaced.push({ ...work, member: memberOfActual(work.record), auction });
      }
    }
    return read;
  }

  /** The records behind names of one shard, those that exist. */
  async readShard(shard: number, members: readonly Member[]): Promise<WorkRecord[]> {
    const idsOf = (isTask: boolean) =>
      members.filter((member) => isTaskMember(member) === isTask).map(recordIdOf);
    const [actuals, tasks] = await Promise.all([
      this.processes.actualsById(shard, idsOf(false)),
      this.tasks.byId(shard, idsOf(true)),
    ]);
    return [
      ...actuals.map((record) => ({ kind: 'actual' as const, record })),
      ...tasks.map((record) => ({ kind: 'task' as const, record })),
    ];
  }
}

export function memberOf(work: WorkRecord): Member {
  return work.kind === 'task' ? memberOfTask(work.record) : memberOfActual(work.record);
}

function membersByShard(members: readonly Member[]): Map<number, Member[]> {
  const byShard = new Map<number, Member[]>();
  for (const member of members) {
    const shard = shardOfMember(member);
    const ofShard = byShard.get(shard);
    if (ofShard === undefined) byShard.set(shard, [member]);
    else ofShard.push(member);
  }
  return byShard;
}
