import { CellLoad } from './cell-load.js';

const cell = {
  cellId: 'c',
  zone: 'z',
  capacity: { memoryMb: 100, diskMb: 100, containers: 10 },
  rootfsProviders: [],
  proxyMemoryMb: 4,
};
const lrp = { processGuid: 'app', memoryMb: 10, diskMb: 20 };
const task = { memoryMb: 1, diskMb: 2 };

it('charges a proxy for each instance and none for tasks', () => {
  const load = new CellLoad();
  load.add(lrp);
  load.add(lrp);
  load.add(task);
  expect(load.leftOn(cell)).toEqual({ memoryMb: 100 - 2 * 14 - 1, diskMb: 58, containers: 7 });
  expect(load.leftOn(cell, 1).memoryMb).toBe(100 - 24 - 1);
  expect([load.instancesOf('app'), load.tasks, load.starting]).toEqual([2, 1, 0]);
});

it('is empty again when everything is removed', () => {
  const load = new CellLoad();
  load.add({ ...lrp, starting: true });
  load.add(task);
  load.remove(task);
  load.remove({ ...lrp, starting: true });
  expect(load).toEqual(new CellLoad());
});

it('refuses to remove what it does not hold', () => {
  const load = new CellLoad();
  load.add(lrp);
  expect(() => load.remove(task)).toThrow('Release only what was reserved');
  expect(() => load.remove({ ...lrp, processGuid: 'other' })).toThrow('"other"');
  expect(() => load.remove({ ...lrp, starting: true })).toThrow('Nothing like');
});
