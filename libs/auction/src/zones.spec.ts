import { CellLoad } from './cell-load.js';
import { instancesByZone, positionsInZones } from './zones.js';

const capacity = { memoryMb: 10, diskMb: 10, containers: 10 };
const cell = (cellId: string, zone: string, index?: number) => ({
  cellId,
  zone,
  index,
  capacity,
  rootfsProviders: [],
});

const loaded = (cellId: string, zone: string, ...apps: string[]) => {
  const load = new CellLoad();
  for (const processGuid of apps) load.add({ processGuid, memoryMb: 1, diskMb: 1 });
  return { cell: cell(cellId, zone), load };
};

it('counts an app over all cells of a zone', () => {
  const cells = [
    loaded('a', 'z1', 'app', 'other'),
    loaded('b', 'z1', 'app', 'app'),
    loaded('c', 'z2', 'other'),
  ];
  expect(instancesByZone(cells, 'app')).toEqual(
    new Map([
      ['z1', 3],
      ['z2', 0],
    ]),
  );
});

it('renumbers cells within their zone by index, then by id', () => {
  const cells = [cell('d', 'z1', 2), cell('b', 'z1'), cell('a', 'z1', 0), cell('c', 'z2', 5)];
  expect(Object.fromEntries(positionsInZones(cells))).toEqual({ a: 0, b: 1, d: 2, c: 0 });
});
