import { orderOfWork } from './order.js';
import { workId } from './types.js';

const rootfs = 'preloaded:linux';
const lrp = (processGuid: string, index: number, memoryMb: number) => ({
  processGuid,
  index,
  memoryMb,
  diskMb: 1,
  rootfs,
});
const task = (taskGuid: string, memoryMb: number) => ({ taskGuid, memoryMb, diskMb: 1, rootfs });
const tasks = [task('small', 1), task('big', 9)];

function order(lrps: ReturnType<typeof lrp>[], strict: boolean): string[] {
  return orderOfWork({ lrps, tasks }, strict).map(workId);
}

it.each([false, true])('first instances, tasks, further instances (strict: %s)', (strict) => {
  const lrps = [lrp('b', 2, 9), lrp('a', 1, 1), lrp('b', 1, 5), lrp('a', 0, 1), lrp('b', 0, 5)];
  expect(order(lrps, strict)).toEqual(['b.0', 'a.0', 'big', 'small', 'b.1', 'a.1', 'b.2']);
});

it('keeps equals as submitted and leaves the batch as it was', () => {
  const lrps = [lrp('b', 0, 1), lrp('a', 0, 1), lrp('c', 0, 2)];
  expect(order(lrps, false)).toEqual(['c.0', 'b.0', 'a.0', 'big', 'small']);
  expect(lrps.map(workId)).toEqual(['b.0', 'a.0', 'c.0']);
});

it('puts tasks before a batch of only first instances when strict', () => {
  expect(order([lrp('a', 0, 1)], true)).toEqual(['big', 'small', 'a.0']);
  expect(order([lrp('a', 0, 1)], false)).toEqual(['a.0', 'big', 'small']);
});

it('puts tasks before a batch of only further instances always', () => {
  expect(order([lrp('a', 3, 1)], true)).toEqual(['big', 'small', 'a.3']);
  expect(order([lrp('a', 3, 1)], false)).toEqual(['big', 'small', 'a.3']);
});
