import type { AuctionCell, LRPAuction } from './index.js';
import { ScanAuction, SCORE_UNIT } from './index.js';

const capacity = { memoryMb: 100, diskMb: 100, containers: 10 };
const rootfsProviders = [{ scheme: 'preloaded', stacks: ['linux'] }];
const cell = (cellId: string, more: Partial<AuctionCell> = {}): AuctionCell => ({
  cellId,
  zone: 'z1',
  capacity,
  rootfsProviders,
  ...more,
});
const lrp = (more: Partial<LRPAuction> = {}): LRPAuction => ({
  processGuid: 'app',
  index: 0,
  memoryMb: 10,
  diskMb: 10,
  rootfs: 'preloaded:linux',
  ...more,
});
const place = (engine: ScanAuction, ...lrps: LRPAuction[]) => engine.auction({ lrps, tasks: [] });

describe('the picture of the cells', () => {
  it('keeps what is held when a cell is described anew, removed, or not known yet', () => {
    const engine = new ScanAuction();
    engine.reserve('a', { memoryMb: 30, diskMb: 20 });
    expect(engine.available('a')).toBeUndefined();
    engine.upsertCell(cell('a'));
    expect(engine.available('a')).toEqual({ memoryMb: 70, diskMb: 80, containers: 9 });
    engine.removeCell('a');
    engine.upsertCell(cell('a', { capacity: { ...capacity, memoryMb: 20 } }));
    expect(engine.available('a')).toEqual({ memoryMb: -10, diskMb: 80, containers: 9 });
    engine.release('a', { memoryMb: 30, diskMb: 20 });
    expect(engine.available('a')).toEqual({ ...capacity, memoryMb: 20 });
  });

  it('reserves a placement as starting until it is released', () => {
    const engine = new ScanAuction([cell('a')], { startingContainerCountMaximum: 1 });
    const first = lrp();
    expect(place(engine, first).placements).toEqual([{ auction: first, cellId: 'a' }]);
    expect(place(engine, lrp({ index: 1 })).failures[0]?.why.reason).toBe('start-limit');
    engine.release('a', { ...first, starting: true });
    engine.reserve('a', first);
    expect(place(engine, lrp({ index: 1 })).placements).toHaveLength(1);
  });

  it('places work that failed once room is released', () => {
    const engine = new ScanAuction([cell('a')]);
    engine.reserve('a', { memoryMb: 95, diskMb: 0 });
    expect(place(engine, lrp()).failures[0]?.error).toBe('insufficient resources: memory');
    engine.release('a', { memoryMb: 95, diskMb: 0 });
    expect(place(engine, lrp()).placements).toHaveLength(1);
  });

  it('says which release was wrong', () => {
    expect(() => new ScanAuction().release('a', { memoryMb: 1, diskMb: 1 })).toThrow('Release only what was');
  });
});

describe('plan and explain', () => {
  it('plans what the auction then decides, without reserving', () => {
    const engine = new ScanAuction([cell('a'), cell('b', { zone: 'z2' })]);
    const lrps = Array.from({ length: 25 }, (_, index) => lrp({ index }));
    const planned = engine.plan({ lrps, tasks: [] });
    expect(planned.failures).toHaveLength(5);
    expect(engine.available('a')).toEqual(capacity);
    expect(engine.auction({ lrps, tasks: [] })).toEqual(planned);
  });

  it('shows how each cell stands', () => {
    const engine = new ScanAuction([
      cell('a'),
      cell('b', { zone: 'z2', rootfsProviders: [] }),
      cell('c', { zone: 'z2', capacity: { ...capacity, diskMb: 5 } }),
      cell('d', { evacuating: true }),
    ]);
    engine.reserve('b', { processGuid: 'app', memoryMb: 1, diskMb: 1 });
    expect(engine.explain(lrp({ refusedBy: ['a'] }))).toMatchObject([
      { cellId: 'a', short: [], refused: true, zoneInstances: 0, score: 0.1 * SCORE_UNIT },
      { cellId: 'b', mismatch: 'rootfs', short: [], zoneInstances: 1, instances: 1 },
      { cellId: 'c', short: ['disk'], refused: false, zoneInstances: 1, instances: 0 },
    ]);
  });
});

describe('cells that refused', () => {
  const cells = [cell('a'), cell('b'), cell('c', { zone: 'z2' })];
  const busy = { processGuid: 'app', memoryMb: 50, diskMb: 50 };

  it('are passed over while any other cell has room, even in a fuller zone', () => {
    const engine = new ScanAuction(cells);
    engine.reserve('c', busy);
    expect(place(engine, lrp({ refusedBy: ['a', 'b'] })).placements[0]?.cellId).toBe('c');
  });

  it('are asked again when no other cell has room', () => {
    const engine = new ScanAuction(cells);
    engine.reserve('c', { ...busy, memoryMb: 95 });
    expect(place(engine, lrp({ refusedBy: ['a'] })).placements[0]?.cellId).toBe('b');
    engine.reserve('b', { ...busy, memoryMb: 85 });
    expect(place(engine, lrp({ refusedBy: ['a'] })).placements[0]?.cellId).toBe('a');
  });

  it('count like others when strict', () => {
    const engine = new ScanAuction(cells, { strict: true });
    for (const cellId of ['b', 'c']) engine.reserve(cellId, busy);
    expect(place(engine, lrp({ refusedBy: ['a'] })).placements[0]?.cellId).toBe('a');
  });
});

describe('strict', () => {
  it('charges proxies only after the batch', () => {
    const cells = [cell('a', { proxyMemoryMb: 30 })];
    const lrps = [0, 1, 2, 3].map((index) => lrp({ index, memoryMb: 20 }));
    expect(new ScanAuction(cells).auction({ lrps, tasks: [] }).placements).toHaveLength(2);
    const strict = new ScanAuction(cells, { strict: true });
    expect(strict.auction({ lrps, tasks: [] }).placements).toHaveLength(3);
    expect(strict.available('a')).toMatchObject({ memoryMb: 100 - 3 * 50 });
  });

  it('names all resources when the only cell has none of one and nothing of it is wanted', () => {
    const cells = [cell('a', { capacity: { ...capacity, diskMb: 0 } })];
    const asked = lrp({ diskMb: 0 });
    expect(place(new ScanAuction(cells), asked).failures[0]?.error).toBe('insufficient resources: disk');
    expect(place(new ScanAuction(cells, { strict: true }), asked).failures[0]?.error).toBe(
      'insufficient resources: containers, disk, memory',
    );
  });

  it('lets a large weight outdo the instances already on a cell', () => {
    const cells = [cell('a', { index: 0 }), cell('b', { index: 1 })];
    const winner = (strict: boolean) => {
      const engine = new ScanAuction(cells, { binPackFirstFitWeight: 2000, strict });
      engine.reserve('a', lrp());
      return place(engine, lrp({ index: 1 })).placements[0]?.cellId;
    };
    expect(winner(false)).toBe('b');
    expect(winner(true)).toBe('a');
  });
});
