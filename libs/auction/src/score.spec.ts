import { LOCALITY_WEIGHT, score, SCORE_UNIT } from './score.js';

const idle = {
  capacity: { memoryMb: 100, diskMb: 200, containers: 50 },
  left: { memoryMb: 80, diskMb: 100, containers: 40 },
  needed: { memoryMb: 10, diskMb: 20 },
  instances: 0,
  starting: 0,
  binPack: 0,
};

it('is the mean of the used fractions after placement', () => {
  expect(score(idle) / SCORE_UNIT).toBeCloseTo((30 / 100 + 120 / 200 + 11 / 50) / 3, 8);
});

it('adds each term as it is', () => {
  expect(score({ ...idle, instances: 2 }) - score(idle)).toBe(2 * LOCALITY_WEIGHT * SCORE_UNIT);
  expect(score({ ...idle, starting: 0.75 }) - score(idle)).toBe(0.75 * SCORE_UNIT);
  expect(score({ ...idle, binPack: 0.5 }) - score(idle)).toBe(0.5 * SCORE_UNIT);
});

it('is a whole number, so that sums do not depend on their order', () => {
  expect(Number.isSafeInteger(score({ ...idle, instances: 300, starting: 1 / 3 }))).toBe(true);
});

it('is not a number where there is no capacity', () => {
  const capacity = { ...idle.capacity, diskMb: 0 };
  const left = { ...idle.left, diskMb: 0 };
  expect(score({ ...idle, capacity, left, needed: { memoryMb: 1, diskMb: 0 } })).toBeNaN();
});
