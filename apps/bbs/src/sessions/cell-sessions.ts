import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { AddressInfo } from 'node:net';
import { Mailboxes } from '#rivera/actor';
import { notFound, RiveraError, type SessionRequest } from '#rivera/models';
import { errorOf, isData, type Session } from '#rivera/session';
import { CellRepository } from '#rivera/store';

export const SESSION_OPTIONS = Symbol('session-options');

export interface SessionOptions {
  /** Where cells reach this very bbs; absent: where it listens. */
  advertisedUrl?: string;
  /** How long a cell may take to connect, and then to answer. */
  timeoutMs: number;
}

interface Expected {
  cellId: string;
  join: (session: Session) => void;
}

/**
 * Talks to cells, which accept no connections: a cell is told by its mailbox that it is wanted, and connects to this bbs
 * (docs/decisions/0008-cells-dial-in.md).
 */
@Injectable()
export class CellSessions {
  private readonly expected = new Map<string, Expected>();

  constructor(
    private readonly cells: CellRepository,
    private readonly mailboxes: Mailboxes,
    private readonly http: HttpAdapterHost,
    @Inject(SESSION_OPTIONS) private readonly options: SessionOptions,
  ) {}

  /**
   * A session with a cell that does what is asked of it. Rejects with `cell-unreachable` (504), or with the cell's own
   * refusal, e.g. `not-found` for a container it does not have.
   */
  async open(cellId: string, request: SessionRequest): Promise<Session> {
    const session = await this.connect(cellId);
    try {
      await session.send({ type: 'open', request });
      const first = await session.next(this.options.timeoutMs);
      if (first === undefined || isData(first)) throw unreachable(cellId, 'it did not answer');
      if (first.type === 'error') throw errorOf(first);
      return session;
    } catch (error) {
      session.destroy();
      throw error;
    }
  }

  /** Asks a cell for something it can tell at once, as JSON. Rejects as `open` does. */
  async ask(cellId: string, request: SessionRequest): Promise<unknown> {
    const session = await this.open(cellId, request);
    const late = setTimeout(() => session.destroy(), this.options.timeoutMs);
    const chunks: Buffer[] = [];
    try {
      for await (const message of session.messages()) {
        if (isData(message)) chunks.push(message.bytes);
        else if (message.type === 'end') return JSON.parse(Buffer.concat(chunks).toString());
        else if (message.type === 'error') throw errorOf(message);
      }
      throw unreachable(cellId, 'it did not answer in full');
    } finally {
      clearTimeout(late);
      session.end();
    }
  }

  /** A session with a cell that waits to be told what for. Rejects with `cell-unreachable`. */
  async connect(cellId: string): Promise<Session> {
    const cell = await this.cells.get(cellId);
    if (cell?.state !== 'PRESENT') throw unreachable(cellId, 'it has not been heard of lately');
    const { timeoutMs } = this.options;
    const sessionId = randomBytes(24).toString('base64url');
    let timer: NodeJS.Timeout | undefined;
    const joined = new Promise<Session>((resolve, reject) => {
      timer = setTimeout(
        () => reject(unreachable(cellId, `it did not connect within ${timeoutMs} ms`)),
        timeoutMs,
      );
      this.expected.set(sessionId, { cellId, join: resolve });
    });
    try {
      const told = this.mailboxes.cell(cellId).tell('connect', { sessionId, url: this.url() });
      const [session] = await Promise.all([joined, told]);
      return session;
    } finally {
      clearTimeout(timer);
      this.expected.delete(sessionId);
    }
  }

  /**
   * The cell is here for a session it was told of.
   *
   * @returns what to hand the session to
   * @throws RiveraError `not-found` when nobody waits for it, or for another cell
   */
  claim(cellId: string, sessionId: string): (session: Session) => void {
    const expected = this.expected.get(sessionId);
    if (expected?.cellId !== cellId) throw notFound('session', sessionId);
    this.expected.delete(sessionId);
    return expected.join;
  }

  private url(): string {
    if (this.options.advertisedUrl !== undefined) return this.options.advertisedUrl;
    const server = this.http.httpAdapter.getHttpServer() as { address(): AddressInfo };
    const { address, family, port } = server.address();
    // Listening on all addresses, it has no one address to tell but its name.
    if (['0.0.0.0', '::'].includes(address)) return `http://${hostname()}:${port}`;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }
}

function unreachable(cellId: string, why: string): RiveraError {
  return new RiveraError(
    'cell-unreachable',
    `Cell ${JSON.stringify(cellId)} cannot be reached: ${why}. Try again in a moment; if it stays so, see that the ` +
      'agent runs, and that from its host it reaches the address this bbs gives it (BBS_ADVERTISED_URL).',
  );
}
