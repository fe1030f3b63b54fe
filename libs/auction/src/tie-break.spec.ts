import { hash32, tieRank } from './tie-break.js';

it('never changes, so that recorded decisions can be replayed', () => {
  expect([hash32(''), hash32('cell-1'), hash32('my-app.0')]).toEqual([2872998923, 1112373443, 1405705528]);
});

it('is the distance on the ring from the work to the cell', () => {
  expect(tieRank(10, 12)).toBe(2);
  expect(tieRank(12, 12)).toBe(0);
  expect(tieRank(12, 10)).toBe(0xfffffffe);
});

it('spreads ties over all cells', () => {
  const cells = Array.from({ length: 10 }, (_, at) => ({ at, hash: hash32(`cell-${at}`) }));
  const winners = Array.from({ length: 2000 }, (_, at) => {
    const work = hash32(`app-${at}.0`);
    return cells.reduce((a, b) => (tieRank(work, a.hash) <= tieRank(work, b.hash) ? a : b)).at;
  });
  expect(new Set(winners).size).toBe(10);
});
