import { setTimeout as sleep } from 'node:timers/promises';
import { engineError, isConnectionLost } from './engine-error.js';

const PAUSE_MS = 250;
/** The client of the engine never settles a call whose answer breaks off half-way; so it is given up and asked again. */
const PATIENCE_MS = 150_000;

/** Repeats a call until the engine answers: losing touch says nothing. Only an answer, or the garden's closing, decides. */
export async function persistently<T>(what: string, closed: AbortSignal, call: () => Promise<T>): Promise<T> {
  for (;;) {
    closed.throwIfAborted();
    try {
      return await withPatience(call());
    } catch (error) {
      closed.throwIfAborted();
      if (!isConnectionLost(error)) throw engineError(error, what);
      await sleep(PAUSE_MS);
    }
  }
}

async function withPatience<T>(call: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const impatience = new Promise<never>((_resolve, reject) => {
    const error = Object.assign(new Error('the engine does not answer'), { code: 'ETIMEDOUT' });
    timer = setTimeout(() => reject(error), PATIENCE_MS);
    timer.unref();
  });
  try {
    return await Promise.race([call, impatience]);
  } finally {
    clearTimeout(timer);
  }
}
