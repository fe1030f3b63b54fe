import type { ProcessOutput } from '#rivera/garden';
import type { Channel, Session } from '#rivera/session';

/**
 * Sends the output of a process, in order, as fast as the other side takes it, and nothing before `begin`. After the
 * other side has gone it goes nowhere, so that the process can end.
 */
export class SessionOutput implements ProcessOutput {
  begin: () => void;
  private sent = new Promise<void>((resolve) => (this.begin = resolve));

  constructor(private readonly session: Session) {}

  stdout(chunk: Buffer): void {
    this.send('stdout', chunk);
  }

  stderr(chunk: Buffer): void {
    this.send('stderr', chunk);
  }

  ready(): Promise<void> {
    return this.sent;
  }

  private send(channel: Channel, chunk: Buffer): void {
    this.sent = this.sent.then(() => this.session.sendData(channel, chunk)).catch(() => undefined);
  }
}
