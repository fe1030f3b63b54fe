import type { RiveraClient } from '#rivera/client';
import { type CellMessages, RiveraError, type SessionRequest } from '#rivera/models';
import type { RiveraLogger } from '#rivera/platform';
import { isData, type Session } from '#rivera/session';

/** Sessions of all kinds at once; more are refused, so that nobody can take the agent's memory. */
const MAX_SESSIONS = 500;
/** How long a bbs may take to say what it wants; a client of exec takes its time. */
const OPEN_TIMEOUT_MS = 60_000;

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
}

/**
 * How a bbs talks to this cell, which accepts no connections: it is told by mailbox that it is wanted and connects. One
 * WebSocket per purpose, so that none waits for another.
 */
export class Link {
  private readonly sessions = new Set<Session>();
  private connecting = 0;

  constructor(private readonly options: LinkOptions) {}

  /** Answers at once; what comes of it is told within the session. */
  connect(wanted: CellMessages['connect']): void {
    const { logger } = this.options;
    this.serve(wanted).catch((error: unknown) => {
      // Whoever wanted us has given up meanwhile, or cannot be reached from here.
      logger.warn('failed-to-join-session', { url: wanted.url, error });
    });
  }

  /** Hangs up on everybody. */
  close(): void {
    for (const session of this.sessions) session.destroy();
  }

  /** How many there are. */
  get size(): number {
    return this.sessions.size;
  }

  private async serve({ sessionId, url }: CellMessages['connect']): Promise<void> {
    const { cellId, client } = this.options;
    this.connecting += 1;
    let session: Session;
    try {
      session = await client.joinSession(cellId, { url, sessionId });
    } finally {
      this.connecting -= 1;
    }
    const isTooMany = this.sessions.size + this.connecting >= MAX_SESSIONS;
    this.sessions.add(session);
    void session.closed.then(() => this.sessions.delete(session));
    try {
      if (isTooMany) throw tooMany(cellId);
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
}

function tooMany(cellId: string): RiveraError {
  return new RiveraError(
    'too-many-requests',
    `Cell ${cellId} serves ${MAX_SESSIONS} sessions (logs, exec, files) already. Try again when some have ended.`,
  );
}
