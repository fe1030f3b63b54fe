import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { decode, isData, type Message } from './message.js';
import { MAX_MESSAGE_BYTES, Session, type SessionTimes } from './session.js';

let server: WebSocketServer;
beforeEach(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1', maxPayload: MAX_MESSAGE_BYTES });
  await once(server, 'listening');
});
afterEach(() => {
  for (const client of server.clients) client.terminate();
  server.close();
});

/** The two sides of a session. */
async function pair(times: SessionTimes = {}): Promise<[Session, Session]> {
  const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const [[accepted]] = (await Promise.all([once(server, 'connection'), once(socket, 'open')])) as [
    [WebSocket],
    unknown,
  ];
  return [new Session(socket, times), new Session(accepted, times)];
}

async function all(session: Session): Promise<Message[]> {
  const messages: Message[] = [];
  for await (const message of session.messages()) messages.push(message);
  return messages;
}

describe('a session', () => {
  it('carries what each side says, in order, to the last word', async () => {
    const [one, other] = await pair();
    await one.send({ type: 'resize', columns: 80, rows: 24 });
    await one.sendData('stdin', Buffer.from('a'));
    expect(await other.next(1_000)).toEqual({ type: 'resize', columns: 80, rows: 24 });
    expect(await other.next(1_000)).toEqual({ channel: 'stdin', bytes: Buffer.from('a') });
    await other.sendData('stderr', Buffer.from('b'));
    other.end({ type: 'end', status: 3 });
    expect(await all(one)).toEqual([
      { channel: 'stderr', bytes: Buffer.from('b') },
      { type: 'end', status: 3 },
    ]);
    await Promise.all([one.closed, other.closed]);
    await expect(one.send({ type: 'eof' })).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('makes whoever sends wait for whoever does not read', async () => {
    const [one, other] = await pair();
    const megabyte = Buffer.alloc(1024 * 1024);
    let [sent, before] = [0, -1];
    const sending = (async () => {
      for (; sent < 100; sent += 1) await one.sendData('stdout', megabyte);
      one.end({ type: 'end' });
    })();
    await vi.waitFor(
      () => {
        const isStuck = sent === before;
        before = sent;
        expect(isStuck).toBe(true);
      },
      { interval: 200, timeout: 20_000 },
    );
    expect(sent).toBeLessThan(50);
    let received = 0;
    for await (const message of other.messages()) if (isData(message)) received += message.bytes.length;
    await sending;
    expect(received).toBe(100 * megabyte.length);
  });

  it('lets many wait for room at once, and all of them learn that the other side has gone', async () => {
    const [one, other] = await pair();
    const warnings: unknown[] = [];
    const warn = (warning: unknown): void => void warnings.push(warning);
    process.on('warning', warn);
    const sends = Array.from({ length: 200 }, () => one.sendData('stdout', Buffer.alloc(1024 * 1024)));
    other.destroy();
    const outcomes = await Promise.allSettled(sends);
    expect(outcomes.some(({ status }) => status === 'rejected')).toBe(true);
    expect(warnings).toEqual([]);
    process.off('warning', warn);
  });

  it('ends for whoever waits in vain, and for whoever is not heard of', async () => {
    const [one, other] = await pair();
    expect(await one.next(20)).toBeUndefined();
    await Promise.all([one.closed, other.closed]);
    const [patient, silent] = await pair({ pingIntervalMs: 20, silenceMs: 200 });
    // Whoever answers pings is there, however little it says.
    const [another] = await pair({ pingIntervalMs: 20, silenceMs: 200 });
    (silent as unknown as { socket: WebSocket }).socket.pause();
    await patient.closed;
    await another.send({ type: 'eof' });
  });

  it('says nothing of a fault that is not meant for others', async () => {
    const [one, other] = await pair();
    other.fail(new TypeError('a secret'));
    const [last] = await all(one);
    expect(last).toMatchObject({ type: 'error', code: 'internal' });
    expect(JSON.stringify(last)).not.toContain('a secret');
  });
});

describe('what comes from somebody who speaks another language', () => {
  it.each(['', 'hello', '[]', '{"type":5}', Buffer.alloc(0), Buffer.of(9, 1)])(
    'is passed over: %j',
    (raw) => {
      expect(decode(raw)).toBeUndefined();
    },
  );
});
