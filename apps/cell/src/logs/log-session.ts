import { type LogItem, type LogOptions, notFound } from '#rivera/models';
import { MAX_DATA_BYTES, type Session } from '#rivera/session';
import type { RequestOf } from '../link/link.js';
import type { NumberedLine } from './log-ring.js';
import type { RecentLogs, RunLog } from './recent-logs.js';

/** The store may know of a run a moment before it has begun here. */
const BEGIN_MS = 1_000;

/** Sends the lines of some runs, as fast as the other side takes them; see `SessionRequest`. */
export function logSession(logs: RecentLogs) {
  return async (session: Session, { guids, arePast, ...options }: RequestOf<'logs'>): Promise<void> => {
    const gone = new AbortController();
    const { signal } = gone;
    void session.closed.then(() => gone.abort());
    const patience = arePast ? AbortSignal.abort() : AbortSignal.any([signal, AbortSignal.timeout(BEGIN_MS)]);
    const found = guids.map((guid) => logs.find(guid, options.follow ? signal : patience));
    if (!options.follow && (await Promise.all(found)).every((log) => log === undefined)) {
      throw notFound('log of the run', guids.join(', '));
    }
    try {
      await session.send({ type: 'opened' });
      await Promise.all(
        found.map(async (finding) => {
          const log = await finding;
          if (log !== undefined) await send(log, { session, options, signal });
        }),
      );
      session.end({ type: 'end' });
    } catch (error) {
      // Whoever hung up does not want to hear why.
      if (!signal.aborted) throw error;
    }
  };
}

async function send(
  { origin, ring }: RunLog,
  { session, options, signal }: { session: Session; options: LogOptions; signal: AbortSignal },
): Promise<void> {
  const { guid, index } = origin;
  const run = { guid, ...(index !== undefined && { index }) };
  let place = ring.startOf(options);
  while (!signal.aborted) {
    const { lines, dropped, next } = ring.read(place, MAX_DATA_BYTES);
    place = next;
    const items: LogItem[] = lines.map((line) => ({ ...run, ...itemOf(line) }));
    if (dropped > 0) items.unshift({ ...run, dropped });
    if (items.length > 0) await session.send({ channel: 'stdout', bytes: toNdjson(items) });
    else if (!options.follow || ring.isClosed) return;
    else await ring.reached(place, signal);
  }
}

function itemOf({ number, timestampMs: time, source, stream, text }: NumberedLine) {
  return { time, number, source, stream, text };
}

function toNdjson(items: LogItem[]): Buffer {
  return Buffer.from(items.map((item) => `${JSON.stringify(item)}\n`).join(''));
}
