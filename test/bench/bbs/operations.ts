import { randomUUID } from 'node:crypto';

/** One API of `bbs`, as its clients and its cells call it. */
export interface Calls {
  health(): Promise<unknown>;
  get(processGuid: string): Promise<unknown>;
  desire(processGuid: string, instances: number): Promise<unknown>;
  updateRoutes(processGuid: string): Promise<unknown>;
  scale(processGuid: string, instances: number): Promise<unknown>;
  remove(processGuid: string): Promise<unknown>;
  claim(processGuid: string, instanceGuid: string): Promise<unknown>;
  start(processGuid: string, instanceGuid: string): Promise<unknown>;
  desireTask(taskGuid: string): Promise<unknown>;
  startTask(taskGuid: string): Promise<unknown>;
  completeTask(taskGuid: string): Promise<unknown>;
  resolveTask(taskGuid: string): Promise<unknown>;
  deleteTask(taskGuid: string): Promise<unknown>;
}

export interface Operation {
  name: string;
  calls: number;
  call: (position: number) => Promise<unknown>;
}

/**
 * Everything that is called for one LRP or task at a time, in an order in which each finds what it needs, and the least
 * that any call and any read can cost.
 */
export function operationsOf(api: Calls, prefix: string, count: number): Operation[] {
  const instanceGuids = Array.from({ length: count }, () => randomUUID());
  const one = (i: number) => `${prefix}one-${i}`;
  const task = (i: number) => `${prefix}task-${i}`;
  const each = (name: string, call: Operation['call'], calls = count): Operation => ({ name, calls, call });
  return [
    each('floor-http', () => api.health()),
    each('desire-1', (i) => api.desire(one(i), 1)),
    each('floor-get', (i) => api.get(one(i))),
    each('desire-10', (i) => api.desire(`${prefix}ten-${i}`, 10), count / 4),
    each('claim', (i) => api.claim(one(i), instanceGuids[i]!)),
    each('start', (i) => api.start(one(i), instanceGuids[i]!)),
    each('update-routes', (i) => api.updateRoutes(one(i))),
    each('scale-up-1', (i) => api.scale(one(i), 2)),
    each('remove', (i) => api.remove(one(i))),
    each('task-desire', (i) => api.desireTask(task(i))),
    each('task-start', (i) => api.startTask(task(i))),
    each('task-complete', (i) => api.completeTask(task(i))),
    each('task-resolve', (i) => api.resolveTask(task(i))),
    each('task-delete', (i) => api.deleteTask(task(i))),
  ];
}
