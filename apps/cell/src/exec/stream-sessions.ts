import { Readable } from 'node:stream';
import { RiveraError } from '#rivera/models';
import { isData, type Session } from '#rivera/session';
import type { RequestOf } from '../link/link.js';
import { type Instances, requireInstance } from './instances.js';

/** Unpacks the tar stream that comes; see `SessionRequest`. */
export function streamInSession(instances: Instances) {
  return async (session: Session, { guid, path, user }: RequestOf<'stream-in'>): Promise<void> => {
    const { container, defaults } = await requireInstance(instances, guid);
    await session.send({ type: 'opened' });
    await container.streamIn(path, Readable.from(input(session)), user ?? defaults.user);
    session.end({ type: 'end' });
  };
}

/** Sends a file or directory as a tar stream; see `SessionRequest`. */
export function streamOutSession(instances: Instances) {
  return async (session: Session, { guid, path }: RequestOf<'stream-out'>): Promise<void> => {
    const { container } = await requireInstance(instances, guid);
    const tar = (await container.streamOut(path)) as Readable;
    void session.closed.then(() => tar.destroy());
    await session.send({ type: 'opened' });
    for await (const chunk of tar) await session.sendData('stdout', chunk as Buffer);
    session.end({ type: 'end' });
  };
}

/** What comes on stdin. A session that ends before its input does is a broken stream, not a short one. */
async function* input(session: Session): AsyncGenerator<Buffer, void, undefined> {
  for await (const message of session.messages()) {
    if (!isData(message)) {
      if (message.type === 'eof') return;
    } else if (message.channel === 'stdin') yield message.bytes;
  }
  throw new RiveraError('unavailable', 'The stream was cut off before its end.');
}
