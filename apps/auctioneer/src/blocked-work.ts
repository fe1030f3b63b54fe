import {
  type Auction,
  type AuctionCell,
  firstMismatch,
  hasRules,
  isTaskAuction,
  parseRootfs,
  type PlacementFailure,
  type RootfsUrl,
} from '#rivera/auction';
import type { CellCapacity } from '#rivera/models';
import { timesThatFit } from './times-that-fit.js';
import { isTaskMember, type Member } from './work-member.js';

/** Work that asks for exactly the same: as long as one of them finds no cell, none does. */
interface Group {
  auction: Auction;
  members: Set<Member>;
  /** What the last of them was told. */
  error: string;
}

/** Work with the same constraints, by the power of two of its memory. */
interface ConstraintGroups {
  auction: Auction;
  rootfs: RootfsUrl | undefined;
  bySizeClass: Map<number, Map<string, Group>>;
}

/** Why work is blocked; `refused`: cells have room, and would not have it. */
export interface Blocked {
  reason: PlacementFailure['reason'] | 'refused';
  error: string;
}

/**
 * Work that no cell could take, by why: its constraints and its size. An event that gives a cell room wakes only what may
 * run there, the largest first, and only as much as fits.
 */
export class BlockedWork {
  private readonly byConstraint = new Map<string, ConstraintGroups>();
  private readonly groupOf = new Map<Member, Group>();
  /** Held back by the start limit, which is about no cell in particular. */
  private readonly startLimited = new Set<Member>();

  get size(): number {
    return this.groupOf.size + this.startLimited.size;
  }

  has(member: Member): boolean {
    return this.groupOf.has(member) || this.startLimited.has(member);
  }

  /** Returns those that ask for the same and were told something else: that is no longer true. They are taken out. */
  block(member: Member, auction: Auction, { reason, error }: Blocked): Member[] {
    this.delete(member);
    if (reason === 'start-limit') {
      this.startLimited.add(member);
      return [];
    }
    const group = this.groupFor(auction, error);
    const outdated = reason === 'refused' || group.error === error ? [] : this.take([...group.members]);
    // Once it has lost its last member the group is another one.
    const current = outdated.length === 0 ? group : this.groupFor(auction, error);
    current.members.add(member);
    this.groupOf.set(member, current);
    return outdated;
  }

  delete(member: Member): void {
    this.startLimited.delete(member);
    const group = this.groupOf.get(member);
    if (group === undefined) return;
    this.groupOf.delete(member);
    group.members.delete(member);
    if (group.members.size === 0) this.forget(group);
  }

  /** Takes out what a cell with this much left may be able to run. */
  wakeFor(cell: AuctionCell, available: CellCapacity): Member[] {
    if (this.groupOf.size === 0 || cell.evacuating) return [];
    const left = { ...available };
    const woken: Member[] = [];
    for (const { auction, rootfs, bySizeClass } of this.byConstraint.values()) {
      if (left.containers < 1) break;
      if (firstMismatch(cell, auction, rootfs) !== undefined) continue;
      const fitting = [...bySizeClass.keys()].filter((size) => lowerBound(size) <= left.memoryMb);
      for (const size of fitting.toSorted((a, b) => b - a)) {
        for (const group of bySizeClass.get(size)?.values() ?? []) {
          woken.push(...this.takeFitting(group, cell, left));
        }
      }
    }
    return woken;
  }

  /** Takes out what may be placed because this many containers are no longer starting. */
  wakeStarts(count: number): Member[] {
    return this.take([...firstOf(this.startLimited, count)]);
  }

  /** Takes out one of each kind: a safety net that costs as much as there are kinds. */
  probe(): Member[] {
    const probes: Member[] = [...firstOf(this.startLimited, 1)];
    for (const { bySizeClass } of this.byConstraint.values()) {
      for (const ofClass of bySizeClass.values()) {
        for (const { members } of ofClass.values()) probes.push(...firstOf(members, 1));
      }
    }
    return this.take(probes);
  }

  /** Takes out every task: being offered in vain counts against it. */
  tasks(): Member[] {
    return this.take([...this.groupOf.keys(), ...this.startLimited].filter(isTaskMember));
  }

  /** Takes out at most `limit` of those that ask for the same as this. */
  wakeAlike(auction: Auction, limit: number): Member[] {
    const group = this.findGroup(auction);
    return group === undefined ? [] : this.take([...firstOf(group.members, limit)]);
  }

  /** Takes out everything, e.g. because the picture of the cells is a new one. */
  wakeAll(): Member[] {
    return this.take([...this.groupOf.keys(), ...this.startLimited]);
  }

  private take(members: Member[]): Member[] {
    for (const member of members) this.delete(member);
    return members;
  }

  private takeFitting(group: Group, cell: AuctionCell, left: CellCapacity): Member[] {
    const { auction, members } = group;
    const proxyMb = isTaskAuction(auction) ? 0 : (cell.proxyMemoryMb ?? 0);
    const memoryMb = auction.memoryMb + proxyMb;
    const fits = Math.min(members.size, timesThatFit(left, { ...auction, memoryMb }));
    if (fits < 1) return [];
    left.containers -= fits;
    left.memoryMb -= fits * memoryMb;
    left.diskMb -= fits * auction.diskMb;
    return this.take([...firstOf(members, fits)]);
  }

  private groupFor(auction: Auction, error: string): Group {
    const constraint = constraintKey(auction);
    const groups = this.byConstraint.get(constraint) ?? {
      auction,
      rootfs: parseRootfs(auction.rootfs),
      bySizeClass: new Map(),
    };
    this.byConstraint.set(constraint, groups);
    const sizeClass = sizeClassOf(auction);
    const ofClass = groups.bySizeClass.get(sizeClass) ?? new Map<string, Group>();
    groups.bySizeClass.set(sizeClass, ofClass);
    const size = sizeKey(auction);
    const group = ofClass.get(size) ?? { auction, members: new Set(), error };
    ofClass.set(size, group);
    return group;
  }

  private findGroup(auction: Auction): Group | undefined {
    const groups = this.byConstraint.get(constraintKey(auction));
    return groups?.bySizeClass.get(sizeClassOf(auction))?.get(sizeKey(auction));
  }

  private forget({ auction }: Group): void {
    const constraint = constraintKey(auction);
    const groups = this.byConstraint.get(constraint);
    const ofClass = groups?.bySizeClass.get(sizeClassOf(auction));
    ofClass?.delete(sizeKey(auction));
    if (ofClass?.size === 0) groups?.bySizeClass.delete(sizeClassOf(auction));
    if (groups?.bySizeClass.size === 0) this.byConstraint.delete(constraint);
  }
}

/** Everything but who asks and how much. */
function constraintKey(auction: Auction): string {
  const { rootfs, placementTags = [], volumeDrivers = [] } = auction;
  return JSON.stringify([rootfs, placementTags.toSorted(), volumeDrivers.toSorted(), rulesOf(auction)]);
}

/** What rules of spread make of a cell depends on the app. */
function rulesOf(auction: Auction): unknown {
  if (!hasRules(auction)) return undefined;
  return isTaskAuction(auction)
    ? auction.affinity
    : [auction.affinity, auction.spread, auction.spread && auction.processGuid];
}

/** Tasks apart, because they hold no memory for a proxy. */
function sizeKey(auction: Auction): string {
  const { memoryMb, diskMb, cpuMillicores = 0, ports = 0, devices = [] } = auction;
  const further = devices.length === 0 ? '' : JSON.stringify(devices);
  return `${isTaskAuction(auction) ? 'task' : 'lrp'} ${memoryMb} ${diskMb} ${cpuMillicores} ${ports} ${further}`;
}

function sizeClassOf({ memoryMb }: Auction): number {
  return memoryMb < 1 ? 0 : Math.floor(Math.log2(memoryMb));
}

function lowerBound(sizeClass: number): number {
  return sizeClass === 0 ? 0 : 2 ** sizeClass;
}

function* firstOf<T>(items: Iterable<T>, count: number): Generator<T> {
  let taken = 0;
  for (const item of items) {
    if (taken >= count) return;
    taken += 1;
    yield item;
  }
}
