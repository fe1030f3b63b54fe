import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RiveraEvent } from '#rivera/models';
import { EventStream } from './event-stream.js';

const bulky = {
  type: 'task_removed',
  before: { taskGuid: 't', definition: { annotation: 'x'.repeat(100_000) } },
};
const item = { id: 'some-id', event: bulky as unknown as RiveraEvent };

let server: Server;
let client: IncomingMessage;
let response: ServerResponse;
beforeEach(async () => {
  server = createServer((_, answer) => (response = answer));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const request = get({ port: (server.address() as AddressInfo).port, agent: false });
  await once(server, 'request');
  response.flushHeaders();
  [client] = (await once(request, 'response')) as [IncomingMessage];
  client.on('error', () => undefined).pause();
});
afterEach(async () => {
  client.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function stream(patienceMs: number) {
  const calls: string[] = [];
  const made = new EventStream(
    response,
    () => true,
    () => calls.push('slow'),
    patienceMs,
  );
  const subscription = {
    id: 'start',
    begin: () => void calls.push('begin'),
    end: () => void calls.push('end'),
  };
  return { made, calls, open: (expiresAt?: number) => made.open(subscription, {}, expiresAt) };
}

/** Until the stream has no room any more. */
function fill(made: EventStream): number {
  let taken = 1;
  while (made.take(item) && taken < 100) taken += 1;
  return taken;
}

describe('EventStream', () => {
  beforeEach(() => {
    // The head of these tests is out already; what is looked at here comes after it.
    response.writeHead = () => response;
  });

  it('disconnects a client that does not read within its patience', async () => {
    const { made, calls, open } = stream(50);
    open();
    const closed = once(response, 'close');
    // The kernel keeps some for the client, too.
    while (!response.destroyed) {
      fill(made);
      await made.ready();
    }
    await closed;
    expect(calls).toEqual(['begin', 'slow', 'end']);
    await made.ready();
  });

  it('has room again when its client has read', async () => {
    const { made, calls, open } = stream(60_000);
    open();
    const taken = fill(made);
    let text = '';
    client.on('data', (chunk: Buffer) => (text += chunk.toString())).resume();
    await made.ready();
    expect(made.take(item)).toBe(true);
    await vi.waitFor(() => expect(text.match(/^id: some-id$/gm)).toHaveLength(taken + 1));
    expect(calls).toEqual(['begin']);
  });

  it('ends at once when its client does not read, and with a word when it does', async () => {
    const { made, open } = stream(60_000);
    open();
    let text = '';
    client.on('data', (chunk: Buffer) => (text += chunk.toString())).resume();
    await vi.waitFor(() => expect(text).toContain(': following\nid: start\n\n'));
    made.end('this is the end');
    made.end('again');
    made.take(item);
    await once(client, 'end');
    expect(text).toContain(': this is the end; resume with Last-Event-ID\n\n');
    expect(text).not.toContain('again');
  });

  it('does not wait for a client that does not read when it ends', async () => {
    const { made, calls, open } = stream(60_000);
    open();
    fill(made);
    const waiting = made.ready();
    made.end('this is the end');
    await waiting;
    expect(response.destroyed).toBe(true);
    expect(calls).toEqual(['begin', 'end']);
  });

  it('does not begin for a client that has gone', async () => {
    const { calls, open } = stream(60_000);
    client.destroy();
    await once(response, 'close');
    open();
    expect(calls).toEqual([]);
  });

  it('ends at the first heartbeat after its token has', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
    try {
      const { open } = stream(1_000);
      open(Date.now() + 20_000);
      const text: string[] = [];
      client.on('data', (chunk: Buffer) => text.push(chunk.toString())).resume();
      await vi.advanceTimersByTimeAsync(15_000);
      expect(response.writableEnded).toBe(false);
      await vi.advanceTimersByTimeAsync(15_000);
      expect(response.writableEnded).toBe(true);
      await vi.waitFor(() =>
        expect(text.join('')).toContain(': the token has expired; resume with Last-Event-ID'),
      );
      expect(text.join('')).toContain(': heartbeat\n');
    } finally {
      vi.useRealTimers();
    }
  });
});
