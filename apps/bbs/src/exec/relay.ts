import { RiveraError } from '#rivera/models';
import { type Control, isData, type Session } from '#rivera/session';

export interface Ends {
  client: Session;
  cell: Session;
  /** When the client's token ends, in milliseconds since the Unix epoch. */
  expiresAt?: number;
}

export type LastWord = Extract<Control, { type: 'end' | 'error' }>;

/**
 * Hands on what each side says until the cell is done, or the client has gone, which the cell then learns. Whoever reads
 * slowly makes the other side wait.
 *
 * @returns what the cell said last; undefined when the client went before
 */
export async function relay({ client, cell, expiresAt = Infinity }: Ends): Promise<LastWord | undefined> {
  const expiry = whenExpired(expiresAt, () => {
    client.fail(new RiveraError('unauthenticated', 'The token has expired; get a new one.'));
    cell.destroy();
  });
  void client.closed.then(() => cell.destroy());
  void passOn(client, cell);
  try {
    for await (const message of cell.messages()) {
      if (!isData(message) && (message.type === 'end' || message.type === 'error')) {
        client.end(message);
        return message;
      }
      await client.send(message);
    }
    client.fail(new RiveraError('cell-unreachable', 'The connection to the cell was lost.'));
    return undefined;
  } catch {
    // The client has gone.
    return undefined;
  } finally {
    clearInterval(expiry);
    cell.destroy();
  }
}

async function passOn(from: Session, to: Session): Promise<void> {
  try {
    for await (const message of from.messages()) await to.send(message);
  } catch {
    // The other side has gone, which `relay` notices too.
  }
}

/** Looked at now and then, because a timer cannot be set for years. */
function whenExpired(expiresAt: number, end: () => void): NodeJS.Timeout {
  const timer = setInterval(() => {
    if (Date.now() < expiresAt) return;
    clearInterval(timer);
    end();
  }, 5_000);
  return timer.unref();
}
