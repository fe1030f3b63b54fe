import { FailureMemory } from './failure-memory.js';

it('remembers for a while where an app failed', () => {
  const memory = new FailureMemory(1_000);
  memory.note('app', 'a', 0);
  memory.note('app', 'b', 600);
  expect(memory.cellsThatFailed('app', 900)).toEqual(['a', 'b']);
  expect(memory.cellsThatFailed('other', 900)).toEqual([]);
  expect(memory.cellsThatFailed('app', 1_000)).toEqual(['b']);
  memory.note('app', 'b', 1_500);
  expect(memory.cellsThatFailed('app', 1_700)).toEqual(['b']);
  expect(memory.cellsThatFailed('app', 2_500)).toEqual([]);
});

it('remembers nothing when it is off', () => {
  const memory = new FailureMemory(0);
  memory.note('app', 'a', 0);
  expect(memory.cellsThatFailed('app', 0)).toEqual([]);
});

it('forgets the app that failed longest ago when there are too many', () => {
  const memory = new FailureMemory(1_000);
  for (let at = 0; at <= 10_000; at += 1) memory.note(`app-${at}`, 'a', 0);
  expect(memory.cellsThatFailed('app-0', 1)).toEqual([]);
  expect(memory.cellsThatFailed('app-1', 1)).toEqual(['a']);
});
