import { askingUnless } from './engine-error.js';
import type { Engine } from './engine.js';

/** How long the engine's report of an out-of-memory kill may lag behind the end of the killed process. */
const REPORT_LAG_MS = 500;

/**
 * Whether the container has run out of memory since `sinceMs`. While a container runs, only the engine's `oom` event
 * says so. The engine is asked for the past, of which it keeps its last 256 events.
 */
export async function wasOutOfMemory(options: {
  engine: Engine;
  containerId: string;
  sinceMs: number;
  /** The process was ended by SIGKILL, so that waiting for a late report is worth it. */
  wasKilled: boolean;
}): Promise<boolean> {
  const { engine, containerId, sinceMs, wasKilled } = options;
  const untilMs = Date.now() + (wasKilled ? REPORT_LAG_MS : 0);
  const events = await askingUnless([404], `The events of container ${containerId} could not be read`, () =>
    engine.streams.getEvents({
      since: sinceMs / 1000,
      until: untilMs / 1000,
      filters: { type: ['container'], event: ['oom'], container: [containerId] },
    }),
  );
  if (!events) return false;
  for await (const chunk of events) if (chunk.length > 0) return true;
  return false;
}
