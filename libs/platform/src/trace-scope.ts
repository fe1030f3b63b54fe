import { AsyncLocalStorage } from 'node:async_hooks';

const current = new AsyncLocalStorage<string>();

/** Whatever `work` does, and what it starts, belongs to this trace: what it commits says so in its events. */
export function inTrace<T>(traceId: string, work: () => T): T {
  return current.run(traceId, work);
}

/** The trace id of the request on whose behalf this runs; undefined when it is nobody's. */
export function currentTraceId(): string | undefined {
  return current.getStore();
}
