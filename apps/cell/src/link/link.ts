import { setTimeout as sleep } from 'node:timers/promises';
import type { RiveraClient } from '#rivera/client';
import { type CellMessages, RiveraError, type SessionRequest } from '#rivera/models';
import type { RiveraLogger } from '#rivera/platform';
import { isData, type Session } from '#rivera/session';

/** Sessions of all kinds at once; more are refused, so that nobody can take the agent's memory. */
const MAX_SESSIONS = 500;
/** How long a bbs may take to say what it wants; a client of exec takes its time. */
const OPEN_TIMEOUT_MS = 60_000;
/** A process of a session is killed 2 s after its client has gone. */
const CLOSE_MS = 3_000;

type Kind = SessionRequest['kind'];
export type RequestOf<K extends Kind> = Extract<SessionRequest, { kind: K }>;

/**
 * Does what a session is for. It says `opened` once it does, and hangs up with `end` when it is done. Ends soon when
 * `session.closed` resolves. What it throws, the other side is told.
 */
export type SessionHandler<K extends Kind> = (session: Session, request: RequestOf<K>) => Promise<void>;

export type SessionHandlers = { [K in Kind]: SessionHandler<K> };

export interface LinkOptions {
  cellId: string;
  client: RiveraClient;
  handlers: SessionHandlers;
  logger: RiveraLogger;
  /** 500 when absent. */
  maxSessions?: number;
}

/**
 * How a bbs talks to this cell, which accepts no connections: it is told by mailbox that it is wanted and connects. One
 * WebSocket per purpose, so that none waits for another.
 */
export class Link {
  private readonly sessions = new Set<Session>();
  private readonly serving = new Set<Promise<void>>();
  private readonly maxSessions: number;

  constructor(private readonly options: LinkOptions) {
    this.maxSessions = options.maxSessions ?? MAX_SESSIONS;
  }

  /** Answers at once; what comes of it is told within the session. */
  connect(wanted: CellMessages['connect']): void {
    const { logger } = this.options;
    const serving = this.serve(wanted)
      .catch((error: unknown) => {
        // Whoever wanted us has given up meanwhile, or cannot be reached from here.
        logger.warn('failed-to-join-session', { url: wanted.url, error });
      })
      .finally(() => this.serving.delete(serving));
    this.serving.add(serving);
  }

  /** Hangs up on everybody, and gives what runs in sessions the time to end. */
  async close(): Promise<void> {
    for (const session of this.sessions) session.destroy();
    const patience = new AbortController();
    const late = sleep(CLOSE_MS, undefined, { signal: patience.signal }).catch(() => undefined);
    await Promise.race([Promise.all(this.serving), late]);
    patience.abort();
  }

  /** How many there are. */
  get size(): number {
    return this.sessions.size;
  }

  private async serve({ sessionId, url }: CellMessages['connect']): Promise<void> {
    const { cellId, client } = this.options;
    const session = await client.joinSession(cellId, { url, sessionId });
    const isTooMany = this.sessions.size >= this.maxSessions;
    this.sessions.add(session);
    void session.closed.then(() => this.sessions.delete(session));
    try {
      if (isTooMany) throw this.tooMany();
      await this.handle(session);
    } catch (error) {
      this.refuse(session, error);
    }
  }

  private async handle(session: Session): Promise<void> {
    const first = await session.next(OPEN_TIMEOUT_MS);
    if (first === undefined) return;
    if (isData(first) || first.type !== 'open') {
      throw new RiveraError('invalid-request', 'A session begins with what it is for.');
    }
    const { request } = first;
    const handler = this.options.handlers[request.kind] as SessionHandler<Kind> | undefined;
    if (handler === undefined) {
      const kind = JSON.stringify(request.kind);
      throw new RiveraError('unsupported', `This cell's version does not know sessions of the kind ${kind}.`);
    }
    await handler(session, request);
  }

  private refuse(session: Session, error: unknown): void {
    if (!(error instanceof RiveraError)) this.options.logger.error('failed-session', { error });
    session.fail(error);
  }

  private tooMany(): RiveraError {
    return new RiveraError(
      'too-many-requests',
      `Cell ${this.options.cellId} serves ${this.maxSessions} sessions (logs, exec, files) already. ` +
        'Try again when some have ended.',
    );
  }
}
