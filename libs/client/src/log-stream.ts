import { type LogItem, type LogLine, RiveraError } from '#rivera/models';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { backoffMs, pause } from './backoff.js';
import { Deadline } from './deadline.js';
import { FailedAttempt } from './failed-attempt.js';
import type { HttpRequest, HttpTransport } from './http-transport.js';

/** bbs sends a comment at least this often. */
const HEARTBEAT_MS = 15_000;

export interface LogQuery {
  /** Go on with what comes, for ever; of a task, until it has ended. */
  follow?: boolean;
  /** Only the last so many lines of each run. */
  tail?: number;
  /** Only lines from this moment on, in milliseconds since the Unix epoch. */
  since?: number;
}

export interface LogOptions {
  /** Ends the iteration, without an error. */
  signal?: AbortSignal;
  /** The stream broke; it is taken up again after a moment. */
  onDisconnect?: (reason: RiveraError) => void;
}

/** The lines of these runs cannot be had now: their cell does not answer. */
export interface FailedLogs {
  guids: string[];
  cellId: string;
  code: string;
  message: string;
}

export type LogStreamItem = { line: LogLine } | Exclude<LogItem, LogLine> | { failed: FailedLogs };

/** How far a run was read. */
interface Mark {
  number: number;
  time: number;
}

/**
 * Reads log lines. One that follows takes up again where it was cut off, with no line twice. Throws a RiveraError when
 * the server refuses, when the first connection fails, or when the stream of one that does not follow breaks.
 */
export async function* readLogs(
  transport: HttpTransport,
  path: string,
  query: LogQuery & { index?: number },
  options: LogOptions,
): AsyncGenerator<LogStreamItem, void, undefined> {
  const { signal } = options;
  const marks = new Map<string, Mark>();
  let failures = 0;
  let isFirst = true;
  while (!signal?.aborted) {
    const deadline = new Deadline(signal);
    const { base } = transport;
    try {
      for await (const item of once({
        transport,
        path,
        query: isFirst ? query : resumed(query, marks),
        deadline,
      })) {
        [failures, isFirst] = [0, false];
        if ('line' in item && !advance(marks, item.line)) continue;
        yield item;
      }
      return;
    } catch (error) {
      if (signal?.aborted) return;
      const lost = error instanceof FailedAttempt;
      if (!lost || !query.follow || isFirst || !error.transient) throw lost ? error.error : error;
      if (error.isOfServer) transport.leave(base);
      failures += 1;
      options.onDisconnect?.(error.error);
      await pause(Math.max(backoffMs(failures, transport.backoff), error.retryAfterMs ?? 0), signal).catch(
        () => undefined,
      );
    } finally {
      deadline.abort();
    }
  }
}

/** False for a line that was read before. */
function advance(marks: Map<string, Mark>, { guid, number, time }: LogLine): boolean {
  if (number <= (marks.get(guid)?.number ?? 0)) return false;
  marks.set(guid, { number, time });
  return true;
}

/** From the run that was read least far; of the others, what comes again is passed over. */
function resumed<Q extends LogQuery>(query: Q, marks: Map<string, Mark>): Q {
  const times = [...marks.values()].map(({ time }) => time);
  return times.length === 0 ? query : { ...query, tail: undefined, since: Math.min(...times) };
}

interface Attempt {
  transport: HttpTransport;
  path: string;
  query: LogQuery & { index?: number };
  deadline: Deadline;
}

async function* once({ transport, path, query, deadline }: Attempt): AsyncGenerator<LogStreamItem> {
  const { follow, ...others } = query;
  const request: HttpRequest = {
    method: 'GET',
    path,
    query: { ...others, follow: follow ? 'true' : undefined },
    headers: { accept: 'text/event-stream' },
  };
  const silenceMs = 3 * HEARTBEAT_MS;
  deadline.arm(silenceMs);
  const answer = await transport.open(request, deadline.signal);
  let messages: EventSourceMessage[] = [];
  let goodbye: string | undefined;
  const parser = createParser({
    onEvent: (message) => void messages.push(message),
    onComment: (comment) => (goodbye = comment.trim() === 'heartbeat' ? undefined : comment.trim()),
  });
  const chunks = answer.chunks();
  for (;;) {
    // Armed only while waiting for bytes: a slow receiver is not a silent server.
    deadline.arm(silenceMs);
    const { done, value } = await transport.reading(request, deadline.signal, () => chunks.next());
    deadline.disarm();
    if (done) break;
    parser.feed(value);
    for (const message of messages.splice(0)) {
      const item = itemOf(message);
      if (item !== undefined) yield item;
    }
  }
  messages = [];
  // The server says why when it ends a stream before its end.
  if (goodbye !== undefined)
    throw new FailedAttempt(new RiveraError('unavailable', `The server ended the log: ${goodbye}.`), {
      sent: true,
      transient: true,
      isOfServer: true,
    });
}

function itemOf({ event, data }: EventSourceMessage): LogStreamItem | undefined {
  const parsed: unknown = JSON.parse(data);
  if (event === 'log') return { line: parsed as LogLine };
  if (event === 'dropped') return parsed as Exclude<LogItem, LogLine>;
  return event === 'failed' ? { failed: parsed as FailedLogs } : undefined;
}
