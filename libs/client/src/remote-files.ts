import { errorOf, isData, type Session } from '#rivera/session';
import { connectionLost } from './remote-process.js';

/** Sends a tar stream; resolves when it was unpacked. */
export async function sendTar(session: Session, tar: AsyncIterable<Uint8Array>): Promise<void> {
  const answer = lastWord(session);
  // It may be refused while it is being sent, which ends the sending; the refusal is what counts then.
  answer.catch(() => undefined);
  try {
    for await (const chunk of tar) await session.sendData('stdin', Buffer.from(chunk));
    await session.send({ type: 'eof' });
  } catch (error) {
    session.destroy();
    await answer;
    throw error;
  }
  await answer;
  session.destroy();
}

/** A tar stream as it comes. */
export async function* receiveTar(session: Session): AsyncGenerator<Buffer, void, undefined> {
  try {
    for await (const message of session.messages()) {
      if (isData(message)) yield message.bytes;
      else if (message.type === 'end') return;
      else if (message.type === 'error') throw errorOf(message);
    }
    throw connectionLost();
  } finally {
    session.destroy();
  }
}

async function lastWord(session: Session): Promise<void> {
  for await (const message of session.messages()) {
    if (isData(message)) continue;
    if (message.type === 'end') return;
    if (message.type === 'error') throw errorOf(message);
  }
  throw connectionLost();
}
