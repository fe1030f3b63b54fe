import { RiveraError } from '#rivera/models';
import type { RiveraEvent, RiveraEventType } from '#rivera/models';
import type { EventSourceMessage } from 'eventsource-parser';
import { backoffMs, pause } from './backoff.js';
import { Deadline } from './deadline.js';
import { FailedAttempt } from './failed-attempt.js';
import type { HttpAnswer } from './http-answer.js';
import type { HttpRequest, HttpTransport } from './http-transport.js';
import { MessageParser } from './message-parser.js';

/** bbs sends a comment at least this often, so that a dead connection shows. */
const HEARTBEAT_MS = 15_000;

/** All that is given must match; of a list, one. */
export interface EventFilter {
  type?: RiveraEventType | readonly RiveraEventType[];
  processGuid?: string | readonly string[];
  taskGuid?: string | readonly string[];
  domain?: string;
  cellId?: string;
}

export interface EventOptions {
  /** Cursor of the last event that was dealt with; absent = from now on. */
  lastEventId?: string;
  /** Ends the iteration, without an error. */
  signal?: AbortSignal;
  /** How long the connection may say nothing before it is given up; three heartbeats when absent. */
  silenceMs?: number;
  /** The stream stands (again): from here on nothing is missed. */
  onConnect?: () => void;
  /** The stream broke; it is resumed after a moment. */
  onDisconnect?: (reason: RiveraError) => void;
}

/**
 * One thing that a stream says: an event with the cursor to resume after it, or `reset` with the reason why events may
 * be missing. After a reset the receiver lists again; the events that follow continue from the reset on.
 */
export type EventItem = { cursor: string; event: RiveraEvent } | { reset: string };

/**
 * Follow `GET /v1/events` for ever: reconnects with back-off and `Last-Event-ID`, and gives up a connection that is
 * silent for three heartbeats. The next bytes are read only when the receiver asks for more.
 *
 * Starts when iterated. Ends when `signal` fires. Throws a RiveraError when the server refuses the stream (a 4xx other
 * than 429), or when the first connection fails as often as any call may.
 */
export async function* followEvents(
  transport: HttpTransport,
  filter: EventFilter,
  options: EventOptions,
): AsyncGenerator<EventItem, void, undefined> {
  const { signal, silenceMs = 3 * HEARTBEAT_MS } = options;
  let cursor = options.lastEventId || undefined;
  let failures = 0;
  let connectedBefore = false;

  for (;;) {
    if (signal?.aborted) return;
    const deadline = new Deadline(signal);
    const { base } = transport;
    let lost: FailedAttempt;
    try {
      const request = streamRequest(filter, cursor);
      deadline.arm(silenceMs);
      const answer = await transport.open(request, deadline.signal);
      options.onConnect?.();
      if (connectedBefore && cursor === undefined) {
        yield { reset: 'The stream was interrupted before its first event; events may be missing.' };
      }
      connectedBefore = true;
      for await (const batch of batches({ transport, request, answer, deadline, silenceMs })) {
        failures = 0;
        for (const message of batch) {
          if (message.event === 'reset') cursor = message.id || undefined;
          else cursor = message.id || cursor;
          const item = itemOf(message, cursor ?? '');
          if (item) yield item;
        }
      }
      lost = endOfStream(transport.urlOf(request));
    } catch (error) {
      if (signal?.aborted) return;
      if (!(error instanceof FailedAttempt)) throw error;
      lost = error;
    } finally {
      deadline.abort();
    }

    if (lost.isOfServer) transport.leave(base);
    failures += 1;
    const hopeless = !connectedBefore && failures >= transport.maxAttempts;
    if (hopeless || isRefusal(lost)) throw lost.error;
    options.onDisconnect?.(lost.error);
    if (!(await waited(Math.max(backoffMs(failures, transport.backoff), lost.retryAfterMs ?? 0), signal)))
      return;
  }
}

function streamRequest(filter: EventFilter, cursor: string | undefined): HttpRequest {
  return {
    method: 'GET',
    path: '/v1/events',
    query: { ...filter },
    headers: { accept: 'text/event-stream', ...(cursor === undefined ? {} : { 'last-event-id': cursor }) },
  };
}

interface OpenStream {
  transport: HttpTransport;
  request: HttpRequest;
  answer: HttpAnswer;
  deadline: Deadline;
  silenceMs: number;
}

/** What each chunk of bytes completed: often nothing (a heartbeat), sometimes many messages. */
async function* batches(stream: OpenStream): AsyncGenerator<EventSourceMessage[]> {
  const { transport, request, answer, deadline, silenceMs } = stream;
  const parser = new MessageParser();
  const chunks = answer.chunks();
  for (;;) {
    // Armed only while waiting for bytes: a slow receiver is not a silent server.
    deadline.arm(silenceMs);
    const { done, value } = await transport.reading(request, deadline.signal, () => chunks.next());
    deadline.disarm();
    if (done) return;
    yield parser.feed(value);
  }
}

/** Nothing for a message without data: it only moves the place to resume from. */
function itemOf(message: EventSourceMessage, cursor: string): EventItem | undefined {
  if (message.data === '') return undefined;
  const data = parse(message.data);
  if (message.event === 'reset') {
    const { reason } = data as { reason?: string };
    return { reset: reason ?? 'The event log no longer reaches back far enough.' };
  }
  return { cursor, event: data as RiveraEvent };
}

function parse(data: string): object {
  try {
    return JSON.parse(data) as object;
  } catch {
    throw new RiveraError(
      'unsupported',
      `The event stream carried something that is not JSON: ${data.slice(0, 80)}`,
    );
  }
}

function endOfStream(url: string): FailedAttempt {
  return new FailedAttempt(new RiveraError('unavailable', `The server ended the event stream ${url}.`), {
    sent: true,
    transient: true,
    isOfServer: true,
  });
}

/** Server errors pass (a store that restarts, a proxy without a backend); a refusal would only be repeated. */
function isRefusal({ transient, error }: FailedAttempt): boolean {
  return !transient && error.code !== 'internal';
}

/** False when the signal fired meanwhile. */
async function waited(ms: number, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await pause(ms, signal);
    return true;
  } catch (error) {
    if (signal?.aborted) return false;
    throw error;
  }
}
