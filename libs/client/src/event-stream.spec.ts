import type { ServerResponse } from 'node:http';
import type { RiveraEvent } from '#rivera/models';
import { StandInApi } from '../../../test/support/stand-in-api.js';
import type { SeenRequest } from '../../../test/support/stand-in-api.js';
import type { EventItem } from './event-stream.js';
import { RiveraClient } from './rivera-client.js';

const event = (n: number): RiveraEvent =>
  ({ type: 'task_removed', before: { taskGuid: `t${n}` } }) as RiveraEvent;
const wire = (n: number): string => `id: c${n}\nevent: task_removed\ndata: ${JSON.stringify(event(n))}\n\n`;
const item = (n: number): EventItem => ({ cursor: `c${n}`, event: event(n) });

async function take(count: number, events: AsyncIterable<EventItem>): Promise<EventItem[]> {
  const items: EventItem[] = [];
  for await (const each of events) {
    items.push(each);
    if (items.length === count) break;
  }
  return items;
}

describe('followEvents', () => {
  let api: StandInApi;
  let client: RiveraClient;
  let stop: AbortController;

  beforeEach(async () => {
    api = await StandInApi.start();
    client = new RiveraClient({ api: api.url, token: 't', baseDelayMs: 1, maxDelayMs: 2, maxAttempts: 3 });
    stop = new AbortController();
  });
  afterEach(async () => {
    stop.abort();
    await api.stop();
  });

  /** One script per connection; the last one serves all further connections. */
  function connections(...scripts: ((response: ServerResponse, seen: SeenRequest) => void)[]): void {
    api.handler = (seen, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      scripts[Math.min(api.requests.length, scripts.length) - 1]?.(response, seen);
      return undefined;
    };
  }

  const lastEventIds = (): unknown[] => api.requests.map(({ headers }) => headers['last-event-id']);

  it('yields events with their cursors and sends filter and cursor', async () => {
    connections((response) => response.write(`: hello\n\n${wire(1)}${wire(2)}`));
    const filter = { type: ['task_removed', 'task_created'], domain: 'demo' } as const;
    const events = client.events(filter, { lastEventId: 'c0', signal: stop.signal });
    expect(await take(2, events)).toEqual([item(1), item(2)]);
    expect(api.routes).toEqual(['GET /v1/events?type=task_removed&type=task_created&domain=demo']);
    expect(api.requests[0]?.headers).toMatchObject({ accept: 'text/event-stream', 'last-event-id': 'c0' });
  });

  it('resumes after the last whole event when the connection is cut within one', async () => {
    connections(
      (response) => response.write(wire(1) + wire(2).slice(0, 30), () => response.destroy()),
      (response) => response.write(wire(2)),
    );
    const lost: string[] = [];
    const events = client.events(
      {},
      { signal: stop.signal, onDisconnect: ({ code }) => void lost.push(code) },
    );
    expect(await take(2, events)).toEqual([item(1), item(2)]);
    expect(lastEventIds()).toEqual([undefined, 'c1']);
    expect(lost).toEqual(['unavailable']);
  });

  it('resumes when the server ends the stream in good order', async () => {
    connections(
      (response) => response.end(wire(1)),
      (response) => response.write(wire(2)),
    );
    expect(await take(2, client.events({}, { signal: stop.signal }))).toEqual([item(1), item(2)]);
    expect(lastEventIds()).toEqual([undefined, 'c1']);
  });

  it('puts an event together that arrives byte by byte', async () => {
    const text = wire(1).replace('t1', 'tä');
    connections((response) => {
      for (const byte of Buffer.from(text)) response.write(Buffer.of(byte));
    });
    const [first] = await take(1, client.events({}, { signal: stop.signal }));
    expect(first).toMatchObject({ event: { before: { taskGuid: 'tä' } } });
  });

  it('passes a reset on and goes on from there', async () => {
    connections(
      (response) => response.end(`id: c7\nevent: reset\ndata: {"reason":"The log was trimmed."}\n\n`),
      (response) => response.write(wire(8)),
    );
    const events = client.events({}, { lastEventId: 'c1', signal: stop.signal });
    expect(await take(2, events)).toEqual([{ reset: 'The log was trimmed.' }, item(8)]);
    expect(lastEventIds()).toEqual(['c1', 'c7']);
  });

  it('says that events may be missing when it resumes without any cursor', async () => {
    connections(
      (response) => response.end(': nothing yet\n\n'),
      (response) => response.write(wire(1)),
    );
    expect(await take(2, client.events({}, { signal: stop.signal }))).toEqual([
      { reset: expect.stringMatching(/interrupted before its first event/) as string },
      item(1),
    ]);
  });

  it('resumes from an id that came without an event', async () => {
    connections(
      (response) => response.end(': following\nid: c5\n\n'),
      (response) => response.write(wire(6)),
    );
    expect(await take(1, client.events({}, { signal: stop.signal }))).toEqual([item(6)]);
    expect(lastEventIds()).toEqual([undefined, 'c5']);
  });

  it('gives up a connection that says nothing, and not one that sends heartbeats', async () => {
    let beats = 0;
    connections(
      (response) => response.write(wire(1)),
      (response) => {
        const timer = setInterval(() => {
          beats += 1;
          response.write(beats === 40 ? wire(2) : ':\n\n');
        }, 10);
        response.on('close', () => clearInterval(timer));
      },
    );
    // 40 beats of 10 ms outlast the silence of 300 ms that ends the first connection.
    expect(await take(2, client.events({}, { signal: stop.signal, silenceMs: 300 }))).toEqual([
      item(1),
      item(2),
    ]);
    expect(lastEventIds()).toEqual([undefined, 'c1']);
  });

  it('comes back after server errors', async () => {
    connections((response) => response.end(wire(1)));
    const stream = api.handler;
    api.handler = (seen, response) => {
      if (api.requests.length === 2) return { status: 500 };
      if (api.requests.length === 3) return { status: 503, headers: { 'retry-after': '0' } };
      if (api.requests.length < 5) return stream(seen, response);
      response.writeHead(200).write(wire(2));
      return undefined;
    };
    expect(await take(3, client.events({}, { signal: stop.signal }))).toEqual([item(1), item(1), item(2)]);
    expect(api.requests).toHaveLength(5);
  });

  it('throws a refusal, at once or later', async () => {
    api.handler = () => ({ status: 403, body: { code: 'forbidden', detail: 'No.' } });
    await expect(take(1, client.events())).rejects.toMatchObject({ code: 'forbidden' });

    connections((response) => response.end(wire(1)));
    const stream = api.handler;
    api.handler = (seen, response) =>
      api.requests.length === 2 ? stream(seen, response) : { status: 401, body: { code: 'unauthenticated' } };
    await expect(take(2, client.events())).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('throws when the first connection cannot be made', async () => {
    await api.stop();
    await expect(take(1, client.events())).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('ends without an error when aborted, and closes the connection', async () => {
    const closed = new Promise<void>((resolve) =>
      connections((response) => {
        response.on('close', resolve);
        response.write(wire(1));
      }),
    );
    const items: EventItem[] = [];
    for await (const each of client.events({}, { signal: stop.signal })) {
      items.push(each);
      stop.abort();
    }
    expect(items).toEqual([item(1)]);
    await closed;
  });

  it('closes the connection when its receiver leaves', async () => {
    const closed = new Promise<void>((resolve) =>
      connections((response) => {
        response.on('close', resolve);
        response.write(wire(1));
      }),
    );
    await take(1, client.events());
    await closed;
  });

  it('tells when the stream stands', async () => {
    connections(
      (response) => response.end(wire(1)),
      (response) => response.write(wire(2)),
    );
    let connects = 0;
    await take(2, client.events({}, { onConnect: () => (connects += 1) }));
    expect(connects).toBe(2);
  });
});
