import { type LogItem, type LogOptions, RiveraError } from '#rivera/models';
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

  /** Asks for the lines of those runs that were not asked for yet. The answer says which cells could not be reached. */
  async add(runs: Run[]): Promise<FailedLogs[]> {
    const fresh = runs.filter(({ guid }) => !this.asked.has(guid));
    for (const { guid } of fresh) this.asked.add(guid);
    const options = this.isFirstRound ? this.given.options : { ...this.given.options, tail: undefined };
    this.isFirstRound = false;
    const outcomes = await Promise.all(
      guidsByCell(fresh).map(([cellId, guids]) => this.ask(cellId, guids, options)),
    );
    return outcomes.filter((outcome) => outcome !== undefined);
  }

  /** Resolves when all that was asked for has been read. */
  async finished(): Promise<void> {
    while (this.reading.size > 0) await Promise.all(this.reading);
  }

  private async ask(cellId: string, guids: string[], options: LogOptions): Promise<FailedLogs | undefined> {
    try {
      const session = await this.given.sessions.open(cellId, { kind: 'logs', guids, ...options });
      this.begin();
      const reading = this.read(session).finally(() => this.reading.delete(reading));
      this.reading.add(reading);
      return undefined;
    } catch (error) {
      for (const guid of guids) this.asked.delete(guid);
      if (!(error instanceof RiveraError)) throw error;
      return { guids, cellId, error };
    }
  }

  private async read(session: Session): Promise<void> {
    const { response } = this.given;
    const stop = (): void => session.destroy();
    response.closed.addEventListener('abort', stop);
    if (response.closed.aborted) stop();
    let isComplete = false;
    for await (const message of session.messages()) {
      if (isData(message)) await response.lines(parseLines(message.bytes));
      else if (message.type === 'end') isComplete = true;
    }
    response.closed.removeEventListener('abort', stop);
    // Whoever reads takes up again where it was cut off, which only it knows.
    if (!isComplete) response.end('the connection to a cell was lost; ask again');
  }
}

function parseLines(bytes: Buffer): LogItem[] {
  const lines = bytes.toString().split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as LogItem);
}
