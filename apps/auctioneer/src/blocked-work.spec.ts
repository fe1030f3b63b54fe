import type { LRPAuction } from '#rivera/auction';
import { aCell } from '#test/builders.js';
import { BlockedWork } from './blocked-work.js';
import { memberOfSlot } from './work-member.js';

const NO_ROOM = { reason: 'resources' as const, error: 'insufficient resources: memory' };
const cell = aCell({ cellId: 'cell-1', rootfsProviders: [{ scheme: 'preloaded', stacks: ['stack'] }] });

function auctionOf(processGuid: string, change: Partial<LRPAuction> = {}): LRPAuction {
  return { processGuid, index: 0, rootfs: 'preloaded:stack', memoryMb: 512, diskMb: 100, ...change };
}

const nameOf = (processGuid: string): string => memberOfSlot({ processGuid, index: 0 });

function blockedWith(auctions: LRPAuction[], why = NO_ROOM): BlockedWork {
  const blocked = new BlockedWork();
  for (const auction of auctions) blocked.block(nameOf(auction.processGuid), auction, why);
  return blocked;
}

const room = (memoryMb: number, diskMb = 10_000, containers = 100) => ({ memoryMb, diskMb, containers });

describe('BlockedWork', () => {
  it('wakes as many as fit, by each resource, and keeps the rest', () => {
    const five = ['a', 'b', 'c', 'd', 'e'].map((guid) => auctionOf(guid));
    expect(blockedWith(five).wakeFor(cell, room(1_600))).toEqual(['a', 'b', 'c'].map(nameOf));
    expect(blockedWith(five).wakeFor(cell, room(9_999, 200))).toEqual(['a', 'b'].map(nameOf));
    const blocked = blockedWith(five);
    expect(blocked.wakeFor(cell, room(9_999, 9_999, 1))).toEqual([nameOf('a')]);
    expect(blocked.size).toBe(4);
    expect(blocked.has(nameOf('a'))).toBe(false);
  });

  it('wakes the largest that fits first, and fills up with smaller ones', () => {
    const blocked = blockedWith([
      auctionOf('small', { memoryMb: 100 }),
      auctionOf('huge', { memoryMb: 5_000 }),
      auctionOf('large', { memoryMb: 1_000 }),
    ]);
    expect(blocked.wakeFor(cell, room(1_099))).toEqual([nameOf('large')]);
    expect(blocked.wakeFor(cell, room(99))).toEqual([]);
    expect(blocked.wakeFor(cell, room(5_100))).toEqual(['huge', 'small'].map(nameOf));
  });

  it('wakes nothing whose constraints the cell does not meet', () => {
    const blocked = blockedWith([
      auctionOf('other', { rootfs: 'preloaded:other' }),
      auctionOf('tagged', { placementTags: ['gold'] }),
      auctionOf('volume', { volumeDrivers: ['nfs'] }),
    ]);
    expect(blocked.wakeFor(cell, room(99_999))).toEqual([]);
    expect(blocked.wakeFor({ ...cell, placementTags: ['gold'] }, room(99_999))).toEqual([nameOf('tagged')]);
    expect(blocked.wakeFor({ ...cell, volumeDrivers: ['nfs'] }, room(99_999))).toEqual([nameOf('volume')]);
    expect(blocked.wakeFor({ ...cell, evacuating: true }, room(99_999))).toEqual([]);
  });

  it('reckons with the memory of the proxy', () => {
    const blocked = blockedWith([auctionOf('a')]);
    expect(blocked.wakeFor({ ...cell, proxyMemoryMb: 32 }, room(543))).toEqual([]);
    expect(blocked.wakeFor({ ...cell, proxyMemoryMb: 32 }, room(544))).toEqual([nameOf('a')]);
  });

  it('wakes work that asks for nothing', () => {
    const blocked = blockedWith([auctionOf('a', { memoryMb: 0, diskMb: 0 })]);
    expect(blocked.wakeFor(cell, room(0, 0, 1))).toEqual([nameOf('a')]);
  });

  it('keeps what the start limit held back for when containers have started', () => {
    const blocked = blockedWith([auctionOf('a'), auctionOf('b'), auctionOf('c')], {
      reason: 'start-limit',
      error: 'waiting',
    } as never);
    expect(blocked.wakeFor(cell, room(99_999))).toEqual([]);
    expect(blocked.wakeStarts(2)).toEqual(['a', 'b'].map(nameOf));
    expect(blocked.size).toBe(1);
  });

  it('tells which of its kind were told something that is no longer true', () => {
    const blocked = blockedWith([auctionOf('a'), auctionOf('b'), auctionOf('other', { memoryMb: 513 })]);
    const why = { reason: 'resources' as const, error: 'insufficient resources: disk' };
    expect(blocked.block(nameOf('c'), auctionOf('c'), why)).toEqual(['a', 'b'].map(nameOf));
    expect(blocked.block(nameOf('a'), auctionOf('a'), why)).toEqual([]);
    const refused = { reason: 'refused' as const, error: 'refused by 1 cell' };
    expect(blocked.block(nameOf('d'), auctionOf('d'), refused)).toEqual([]);
    expect(blocked.size).toBe(4);
  });

  it('probes one of each kind', () => {
    const blocked = blockedWith([auctionOf('a'), auctionOf('b'), auctionOf('c', { memoryMb: 9 })]);
    expect(blocked.probe().toSorted()).toEqual(['a', 'c'].map(nameOf));
    expect(blocked.wakeAlike(auctionOf('x'), 10)).toEqual([nameOf('b')]);
    expect(blocked.size).toBe(0);
  });

  it('forgets what was removed', () => {
    const blocked = blockedWith([auctionOf('a')]);
    blocked.delete(nameOf('a'));
    blocked.delete(nameOf('never'));
    expect(blocked.wakeAll()).toEqual([]);
  });
});
