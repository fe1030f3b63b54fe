import { type LogItem, type LogOptions, RiveraError, type SessionRequest } from '#rivera/models';
import { isData, type Session } from '#rivera/session';
import type { CellSessions } from '../sessions/cell-sessions.js';
import { guidsByCell, type Run } from '../sessions/runs.js';
import type { FailedLogs, LogResponse } from './log-response.js';

export interface LogCollectorOptions {
  sessions: CellSessions;
  response: LogResponse;
  options: LogOptions;
}

/** Brings the lines of some runs together, from all cells that have them. */
export class LogCollector {
  private readonly asked = new Set<string>();
  private readonly reading = new Set<Promise<void>>();
  private isFirstRound = true;
  private begin: () => void;
  /** Resolves when a first cell has answered. */
  readonly begun = new Promise<void>((resolve) => (this.begin = resolve));

  constructor(private readonly given: LogCollectorOptions) {}

  /**
   * Asks for the lines of those runs that were not asked for yet. The answer says which cells could not be reached; that
   * nothing is left of a past run is not worth a word.
   */
  async add(runs: Run[]): Promise<FailedLogs[]> {
    const fresh = runs.filter((run) => !this.asked.has(nameOf(run)));
    const options = this.isFirstRound ? this.given.options : { ...this.given.options, tail: undefined };
    this.isFirstRound = false;
    for (const run of fresh) this.asked.add(nameOf(run));
    const past = guidsByCell(fresh.filter(({ isPast }) => isPast)).map(([cellId, guids]) =>
      this.ask(cellId, { kind: 'logs', guids, ...options, follow: false, arePast: true }),
    );
    const present = guidsByCell(fresh.filter(({ isPast }) => !isPast)).map(async ([cellId, guids]) => {
      const error = await this.ask(cellId, { kind: 'logs', guids, ...options });
      if (error === undefined) return undefined;
      for (const guid of guids) this.asked.delete(nameOf({ guid, cellId }));
      return { guids, cellId, error };
    });
    await Promise.all(past);
    return (await Promise.all(present)).filter((failure) => failure !== undefined);
  }

  /** Resolves when all that was asked for has been read. */
  async finished(): Promise<void> {
    while (this.reading.size > 0) await Promise.all(this.reading);
  }

  /** Answers with why the cell could not be asked. */
  private async ask(cellId: string, request: SessionRequest): Promise<RiveraError | undefined> {
    try {
      const session = await this.given.sessions.open(cellId, request);
      this.begin();
      const reading = this.read(session).finally(() => this.reading.delete(reading));
      this.reading.add(reading);
      return undefined;
    } catch (error) {
      if (error instanceof RiveraError) return error;
      throw error;
    }
  }

  private async read(session: Session): Promise<void> {
    const { response } = this.given;
    const stop = (): void => session.destroy();
    response.closed.addEventListener('abort', stop);
    if (response.closed.aborted) stop();
    const isComplete = await this.passOn(session).catch(() => false);
    session.destroy();
    response.closed.removeEventListener('abort', stop);
    // Whoever reads takes up again where it was cut off, which only it knows.
    if (!isComplete) response.end('the connection to a cell was lost; ask again');
  }

  /** Whether the cell came to its end. What it says that makes no sense ends it too. */
  private async passOn(session: Session): Promise<boolean> {
    for await (const message of session.messages()) {
      if (isData(message)) await this.given.response.lines(parseLines(message.bytes));
      else if (message.type === 'end') return true;
    }
    return false;
  }
}

function nameOf({ guid, cellId }: Run): string {
  return `${guid} on ${cellId}`;
}

function parseLines(bytes: Buffer): LogItem[] {
  const lines = bytes.toString().split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as LogItem);
}
