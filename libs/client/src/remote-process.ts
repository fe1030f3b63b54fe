import { RiveraError, type WindowSize } from '#rivera/models';
import { errorOf, isData, type Session } from '#rivera/session';

/** Takes output; the next piece is asked for when it has resolved. */
export type Sink = (chunk: Buffer) => void | Promise<void>;

/** A process that runs in an instance, seen from here. It ends with the connection. */
export class RemoteProcess {
  private constructor(private readonly session: Session) {}

  /** Resolves when the process runs; rejects with why it does not. */
  static async opened(session: Session): Promise<RemoteProcess> {
    for await (const message of session.messages()) {
      if (isData(message)) continue;
      if (message.type === 'opened') return new RemoteProcess(session);
      if (message.type === 'error') throw errorOf(message);
    }
    throw connectionLost();
  }

  /** Hands it input. Resolves when there is room for more; input to a process that has ended is dropped. */
  async write(chunk: Buffer): Promise<void> {
    await this.session.sendData('stdin', chunk).catch(() => undefined);
  }

  /** It reads an end of file after what was written. */
  async closeInput(): Promise<void> {
    await this.session.send({ type: 'eof' }).catch(() => undefined);
  }

  /** Its terminal has another size. */
  async resize({ columns, rows }: WindowSize): Promise<void> {
    await this.session.send({ type: 'resize', columns, rows }).catch(() => undefined);
  }

  /** SIGINT, SIGTERM, SIGHUP, SIGQUIT or SIGKILL. */
  async signal(signal: string): Promise<void> {
    await this.session.send({ type: 'signal', signal }).catch(() => undefined);
  }

  /**
   * Hands on its output until it ends; resolves with its exit status. Rejects with the cell's refusal, or with
   * `unavailable` when the connection was lost: then it is ended over there.
   */
  async follow(output: { stdout: Sink; stderr: Sink }): Promise<number> {
    for await (const message of this.session.messages()) {
      if (isData(message)) {
        if (message.channel !== 'stdin') await output[message.channel](message.bytes);
      } else if (message.type === 'end') {
        // Input that nobody will read may still be on its way; it need not arrive.
        this.session.destroy();
        return message.status ?? 0;
      } else if (message.type === 'error') throw errorOf(message);
    }
    throw connectionLost();
  }

  /** Leaves. The process gets SIGHUP, and soon after SIGKILL. */
  leave(): void {
    this.session.destroy();
  }
}

export function connectionLost(): RiveraError {
  return new RiveraError('unavailable', 'The connection to the instance was lost.');
}
