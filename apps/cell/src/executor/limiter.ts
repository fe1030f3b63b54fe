/** Runs a task when it is its turn; one that is aborted while it waits is never begun and rejects with the reason. */
export type Limiter = <T>(task: () => Promise<T>, signal?: AbortSignal) => Promise<T>;

/** Runs at most `size` tasks at a time, the others wait their turn. */
export function limiter(size: number): Limiter {
  const waiting = new Set<() => void>();
  let running = 0;
  const turn = async (signal: AbortSignal | undefined): Promise<void> => {
    signal?.throwIfAborted();
    if (running < size) {
      running += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const begin = (): void => {
        signal?.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = (): void => {
        waiting.delete(begin);
        reject(signal?.reason as Error);
      };
      waiting.add(begin);
      signal?.addEventListener('abort', giveUp, { once: true });
    });
  };
  const next = (): void => {
    const [begin] = waiting;
    // The place is handed on: `running` stays as it is.
    if (begin === undefined) {
      running -= 1;
      return;
    }
    waiting.delete(begin);
    begin();
  };
  return async (task, signal) => {
    await turn(signal);
    try {
      return await task();
    } finally {
      next();
    }
  };
}
