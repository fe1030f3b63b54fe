import { Ledger } from './ledger.js';

const capacity = { memoryMb: 100, diskMb: 100, containers: 3 };
const size = { memoryMb: 10, diskMb: 10 };

it('refuses what there is too little of, also of what only some cells count', () => {
  const ledger = new Ledger({
    ...capacity,
    cpuMillicores: 500,
    ports: 1,
    devices: [{ name: 'gpu', count: 2 }],
  });
  const wanted = { ...size, cpuMillicores: 400, ports: 1, devices: [{ name: 'gpu', count: 1 }] };
  expect(ledger.reserve('a', wanted)).toBe(true);
  expect(ledger.remaining()).toEqual({
    memoryMb: 90,
    diskMb: 90,
    containers: 2,
    cpuMillicores: 100,
    ports: 0,
    devices: [{ name: 'gpu', count: 1 }],
  });
  expect(ledger.reserve('b', { ...size, cpuMillicores: 200 })).toBe(false);
  expect(ledger.reserve('b', { ...size, ports: 1 })).toBe(false);
  expect(ledger.reserve('b', { ...size, devices: [{ name: 'gpu', count: 2 }] })).toBe(false);
  expect(ledger.reserve('b', size)).toBe(true);
  ledger.release('a');
  expect(ledger.reserve('c', wanted)).toBe(true);
});

it('does not count what it has no limit for, devices excepted', () => {
  const ledger = new Ledger(capacity);
  expect(ledger.reserve('a', { ...size, cpuMillicores: 9_999, ports: 99 })).toBe(true);
  expect(ledger.reserve('b', { ...size, devices: [{ name: 'gpu', count: 1 }] })).toBe(false);
  expect(ledger.remaining()).toEqual({ memoryMb: 90, diskMb: 90, containers: 2 });
});
