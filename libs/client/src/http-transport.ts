import type { IncomingHttpHeaders } from 'node:http';
import { RiveraError } from '#rivera/models';
import { backoffMs, pause } from './backoff.js';
import type { Backoff } from './backoff.js';
import { Deadline, TimedOut } from './deadline.js';
import { type HttpAnswer, send } from './http-answer.js';
import { FailedAttempt, isUnsent, retryAfterMs } from './failed-attempt.js';
import type { Session } from '#rivera/session';
import { problemToError } from './problem.js';
import { openSession } from './web-socket.js';

/** A bearer token, or where to get the current one: it is asked before each attempt, so it may be rotated. */
export type TokenSource = string | (() => string | Promise<string>);

export type QueryValue = string | number | readonly string[] | undefined;

export interface HttpRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the API's address, each variable part already encoded. */
  path: string;
  query?: Record<string, QueryValue>;
  /** Sent as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  /** May arrive twice without harm, so it is sent again when its fate is unknown. */
  repeatable?: boolean;
  /** Sent without a token. */
  anonymous?: boolean;
  /** Whatever the body of the answer is, nobody wants it. */
  ignoreBody?: boolean;
  /** For one attempt, where the answer takes longer than usual. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

export interface ConnectRequest extends Pick<HttpRequest, 'path' | 'query' | 'signal'> {
  api?: string;
}

export interface TransportOptions {
  /** Of one or several equal servers. */
  api: string | readonly string[];
  token: TokenSource;
  timeoutMs: number;
  deadlineMs: number;
  maxAttempts: number;
  backoff: Backoff;
  userAgent: string;
}

/** An answer that was read to its end. */
interface Exchanged {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

const NOT_MODIFIED = 304;
/** Another server may fare better. */
const AWAY = [502, 503, 504];

/**
 * JSON over HTTP to an API: authentication, time limits, retries, errors.
 *
 * Of several addresses one is used until it does not answer, answers 502, 503 or 504, or says by `Connection: close` that
 * it is about to stop; then the next one is.
 *
 * Delivery: a request that certainly never arrived (no connection) is sent again whatever it is. One that may have
 * arrived, or that was answered with 429, 502, 503 or 504, is sent again only when it is `repeatable`.
 */
export class HttpTransport {
  private readonly bases: readonly string[];
  private turn: number;

  constructor(private readonly options: TransportOptions) {
    const addresses = typeof options.api === 'string' ? [options.api] : options.api;
    if (addresses.length === 0)
      throw new RiveraError(
        'invalid-request',
        'There is no API address. Give one like "http://localhost:8080".',
      );
    this.bases = addresses.map(baseOf);
    // So that many clients do not all begin with the same one.
    this.turn = Math.floor(options.backoff.random() * this.bases.length);
  }

  get backoff(): Backoff {
    return this.options.backoff;
  }

  get maxAttempts(): number {
    return this.options.maxAttempts;
  }

  /** The address that is used now. */
  get base(): string {
    return this.bases[this.turn % this.bases.length]!;
  }

  /** Go on with the next address, unless somebody else has already left this one. */
  leave(base: string): void {
    if (this.base === base) this.turn += 1;
  }

  /** Send until answered, refused for good, or out of time; the parsed body, `undefined` when it is to be ignored. */
  async request(request: HttpRequest): Promise<unknown> {
    const { text } = await this.exchange(request);
    return request.ignoreBody ? undefined : this.parse(text, request);
  }

  /**
   * Reads unless what is there is what the tag stands for, in which case there is no body. The tag of an answer is for the
   * next time.
   */
  async readUnless(request: HttpRequest, tag: string | undefined): Promise<{ tag?: string; body?: unknown }> {
    const headers = { ...request.headers, ...(tag !== undefined && { 'if-none-match': tag }) };
    const { status, headers: answer, text } = await this.exchange({ ...request, headers });
    const answered = answer.etag;
    if (status === NOT_MODIFIED) return { tag: answered };
    return { tag: answered, body: this.parse(text, request) };
  }

  private async exchange(request: HttpRequest): Promise<Exchanged> {
    const giveUpAt = performance.now() + this.options.deadlineMs;
    let mayHaveArrived = false;
    for (let attempt = 1; ; attempt++) {
      const timeLeft = giveUpAt - performance.now();
      const { base } = this;
      try {
        const answer = await this.attempt(
          request,
          Math.min(request.timeoutMs ?? this.options.timeoutMs, timeLeft),
        );
        if (answer.headers.connection === 'close') this.leave(base);
        return answer;
      } catch (failure) {
        if (!(failure instanceof FailedAttempt)) throw failure;
        if (failure.isOfServer) this.leave(base);
        // Our own earlier attempt removed it; only its answer was lost.
        if (mayHaveArrived && request.method === 'DELETE' && failure.error.code === 'not-found')
          return { status: 204, headers: {}, text: '' };
        mayHaveArrived ||= failure.sent;

        const delayMs = Math.max(backoffMs(attempt, this.options.backoff), failure.retryAfterMs ?? 0);
        const again = failure.transient && (request.repeatable || !failure.sent);
        const inTime = attempt < this.options.maxAttempts && performance.now() + delayMs < giveUpAt;
        if (!again || !inTime) throw failure.error;
        await pause(delayMs, request.signal);
      }
    }
  }

  /** One attempt, up to a successful status; the caller reads the body. Throws `FailedAttempt`, or the abort reason. */
  async open(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const url = this.urlOf(request);
    const headers = await this.headersOf(request);
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    let answer: HttpAnswer;
    try {
      answer = await send(url, { method: request.method, headers, body, signal });
    } catch (cause) {
      throw this.failure(cause, request, signal);
    }
    const { status } = answer;
    const isKnown = status === NOT_MODIFIED && headers['if-none-match'] !== undefined;
    if (answer.isOk || isKnown) return answer;
    const text = await this.reading(request, signal, () => answer.text());
    throw new FailedAttempt(problemToError(status, text, url), {
      sent: true,
      transient: [429, ...AWAY].includes(status),
      isOfServer: AWAY.includes(status),
      retryAfterMs: retryAfterMs(answer.headers['retry-after']),
    });
  }

  /** Opens a WebSocket at a path of the API, once; with `api` at another address of it. */
  async connect({ api, ...request }: ConnectRequest): Promise<Session> {
    const get: HttpRequest = { ...request, method: 'GET' };
    return openSession({
      url: this.urlOf(get, api === undefined ? this.base : baseOf(api)),
      headers: await this.headersOf(get),
      timeoutMs: this.options.deadlineMs,
      signal: request.signal,
    });
  }

  /** Run `read` on an open body; a connection that breaks meanwhile is a `FailedAttempt`. */
  async reading<T>(request: HttpRequest, signal: AbortSignal, read: () => Promise<T>): Promise<T> {
    try {
      return await read();
    } catch (cause) {
      throw this.failure(cause, request, signal);
    }
  }

  urlOf(request: HttpRequest, base = this.base): string {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(request.query ?? {})) {
      if (value === undefined) continue;
      const values = Array.isArray(value) ? value : [value];
      for (const each of values) query.append(name, String(each));
    }
    return `${base}${request.path}${query.size > 0 ? `?${query.toString()}` : ''}`;
  }

  private async attempt(request: HttpRequest, timeoutMs: number): Promise<Exchanged> {
    const deadline = new Deadline(request.signal);
    deadline.arm(timeoutMs);
    try {
      const answer = await this.open(zipped(request), deadline.signal);
      const { status, headers } = answer;
      return { status, headers, text: await this.reading(request, deadline.signal, () => answer.text()) };
    } finally {
      deadline.release();
    }
  }

  private parse(text: string, request: HttpRequest): unknown {
    try {
      return JSON.parse(text);
    } catch {
      throw new RiveraError(
        'unsupported',
        `${this.urlOf(request)} answered with something that is not JSON. Check that this is Rivera's API.`,
      );
    }
  }

  private async headersOf(request: HttpRequest): Promise<Record<string, string>> {
    const { token, userAgent } = this.options;
    const headers: Record<string, string> = {
      accept: 'application/json, application/problem+json',
      'user-agent': userAgent,
      ...request.headers,
    };
    if (request.body !== undefined) headers['content-type'] = 'application/json';
    if (!request.anonymous)
      headers['authorization'] = `Bearer ${typeof token === 'string' ? token : await token()}`;
    return headers;
  }

  private failure(cause: unknown, request: HttpRequest, signal: AbortSignal): unknown {
    if (signal.aborted && !(signal.reason instanceof TimedOut)) return signal.reason;
    const because: unknown = signal.aborted ? signal.reason : cause;
    return new FailedAttempt(
      new RiveraError(
        'unavailable',
        `Rivera's API did not answer ${request.method} ${this.urlOf(request)}: ${describe(because)}. ` +
          'Check that it runs and that the address is right.',
      ),
      { sent: signal.aborted || !isUnsent(cause), transient: true, isOfServer: true },
    );
  }
}

/** Lists are worth it; of what is small the server makes nothing of it. */
function zipped(request: HttpRequest): HttpRequest {
  if (request.method !== 'GET') return request;
  return { ...request, headers: { ...request.headers, 'accept-encoding': 'gzip' } };
}

/** When several addresses of one name were tried, the error has no message. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || ('code' in error ? String(error.code) : error.name);
}

function baseOf(api: string): string {
  const url = URL.canParse(api) ? new URL(api) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.username || url.search || url.hash) {
    throw new RiveraError(
      'invalid-request',
      `${JSON.stringify(api)} is not an API address. Give one like "http://localhost:8080", without credentials.`,
    );
  }
  return url.href.replace(/\/+$/, '');
}
