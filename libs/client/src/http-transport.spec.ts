import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { StandInApi } from '../../../test/support/stand-in-api.js';
import { backoffMs } from './backoff.js';
import { retryAfterMs } from './failed-attempt.js';
import { RiveraClient } from './rivera-client.js';
import type { RiveraClientOptions } from './rivera-client.js';

const task = {
  taskGuid: 't1',
  domain: 'd',
  definition: { rootfs: 'preloaded:x', action: {}, memoryMb: 1, diskMb: 1 },
};

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('HttpTransport', () => {
  let api: StandInApi;
  beforeEach(async () => (api = await StandInApi.start()));
  afterEach(() => api.stop());

  const clientOf = (options: Partial<RiveraClientOptions> = {}): RiveraClient =>
    new RiveraClient({ api: api.url, token: 't', baseDelayMs: 1, maxDelayMs: 2, ...options });

  /** The first `times` requests lose their connection, the rest is answered. */
  function cutting(times: number, body: unknown = { items: [] }): void {
    api.handler = (_seen, response) => {
      if (api.requests.length > times) return { body };
      response.destroy();
      return undefined;
    };
  }

  describe('retries', () => {
    it('a read whose connection broke', async () => {
      cutting(2);
      await clientOf().listTasks();
      expect(api.requests).toHaveLength(3);
    });

    it('the transitions and the presence of a cell', async () => {
      cutting(1, { results: [] });
      await clientOf().reportTransitions('c1', { epoch: 1, reports: [] });
      expect(api.requests).toHaveLength(2);
    });

    it.each([429, 502, 503, 504])('a read answered with %d', async (status) => {
      api.handler = () =>
        api.requests.length === 1 ? { status, headers: { 'retry-after': '0' } } : { body: { items: [] } };
      await clientOf().listTasks();
      expect(api.requests).toHaveLength(2);
    });

    it('until it has tried often enough', async () => {
      api.handler = () => ({ status: 503, body: { code: 'unavailable', detail: 'Not now.' } });
      await expect(clientOf({ maxAttempts: 3 }).listTasks()).rejects.toThrow('Not now.');
      expect(api.requests).toHaveLength(3);
    });

    it('a body that was cut', async () => {
      api.handler = (_seen, response) => {
        if (api.requests.length > 1) return { body: { items: [1] } };
        response.writeHead(200, { 'content-length': '100' });
        response.write('{"items', () => response.destroy());
        return undefined;
      };
      expect(await clientOf().listTasks()).toEqual({ items: [1] });
    });

    it('a create that certainly never arrived', async () => {
      const port = await closedPort();
      const options = { api: `http://127.0.0.1:${port}`, baseDelayMs: 100, maxDelayMs: 100 };
      const desiring = clientOf(options).desireTask(task);
      await new Promise((resolve) => setTimeout(resolve, 20));
      const late = await StandInApi.start(undefined, port);
      await desiring;
      expect(late.requests).toHaveLength(1);
      await late.stop();
    });

    it('a removal, and takes not-found for success when its first attempt may have arrived', async () => {
      api.handler = (_seen, response) => {
        if (api.requests.length > 1) return { status: 404, body: { code: 'not-found' } };
        response.destroy();
        return undefined;
      };
      await expect(clientOf().removeDesiredLRP('web')).resolves.toBeUndefined();
      await expect(clientOf().removeDesiredLRP('web')).rejects.toMatchObject({ code: 'not-found' });
    });
  });

  it('reads what is compressed, and asks for it where lists come from', async () => {
    api.handler = ({ headers }, response) => {
      response.setHeader('content-encoding', 'gzip');
      response.end(gzipSync(JSON.stringify({ items: [headers['accept-encoding']] })));
      return undefined;
    };
    expect(await clientOf().listTasks()).toEqual({ items: ['gzip'] });
    api.handler = () => ({ body: {} });
    await clientOf().desireTask(task);
    expect(api.requests.at(-1)?.headers).not.toHaveProperty('accept-encoding');
  });

  describe('with several addresses', () => {
    let other: StandInApi;
    beforeEach(async () => (other = await StandInApi.start()));
    afterEach(() => other.stop());

    const both = (options: Partial<RiveraClientOptions> = {}): RiveraClient =>
      clientOf({ api: [api.url, other.url], random: () => 0, ...options });

    it('stays with the one that answers', async () => {
      const client = both();
      for (let call = 0; call < 3; call += 1) await client.listTasks();
      expect([api.requests.length, other.requests.length]).toEqual([3, 0]);
    });

    it('begins with any of them', async () => {
      await both({ random: () => 0.9 }).listTasks();
      expect([api.requests.length, other.requests.length]).toEqual([0, 1]);
    });

    it('goes on with the next, also with a create, when it cannot connect', async () => {
      const client = clientOf({
        api: [`http://127.0.0.1:${await closedPort()}`, other.url],
        random: () => 0,
      });
      await client.desireTask(task);
      await client.desireTask(task);
      expect(other.requests).toHaveLength(2);
    });

    it.each([502, 503, 504])('reads from the next after an answer of %d', async (status) => {
      api.handler = () => ({ status });
      const client = both();
      await client.listTasks();
      await client.listTasks();
      expect([api.requests.length, other.requests.length]).toEqual([1, 2]);
    });

    it('leaves one that is about to stop with its last answer', async () => {
      api.handler = () => ({ headers: { connection: 'close' }, body: {} });
      const client = both();
      await client.desireTask(task);
      await client.desireTask(task);
      expect([api.requests.length, other.requests.length]).toEqual([1, 1]);
    });

    it('does not send a create twice that may have arrived', async () => {
      cutting(1);
      const client = both();
      await expect(client.desireTask(task)).rejects.toMatchObject({ code: 'unavailable' });
      await client.desireTask(task);
      expect([api.requests.length, other.requests.length]).toEqual([1, 1]);
    });

    it('needs one at least', () => {
      expect(() => clientOf({ api: [] })).toThrow('There is no API address.');
    });
  });

  describe('does not retry', () => {
    const once: [string, (c: RiveraClient) => Promise<unknown>][] = [
      ['a create', (c) => c.desireTask(task)],
      ['an update', (c) => c.updateDesiredLRP('web', { instances: 1 })],
      ['a retire, which might hit the replacement', (c) => c.retireActualLRP('web', 0)],
      ['a cancellation', (c) => c.cancelTask('t1')],
    ];
    it.each(once)('%s that was sent', async (_name, call) => {
      cutting(1);
      await expect(call(clientOf())).rejects.toMatchObject({ code: 'unavailable' });
      api.handler = () => ({ status: 503 });
      await expect(call(clientOf())).rejects.toMatchObject({ code: 'unavailable' });
      expect(api.requests).toHaveLength(2);
    });

    it.each([400, 401, 403, 404, 409, 500])('a read answered with %d', async (status) => {
      api.handler = () => ({ status });
      await expect(clientOf().getTask('t1')).rejects.toMatchObject({ details: { status } });
      expect(api.requests).toHaveLength(1);
    });

    it('when the server wants it later than the deadline', async () => {
      api.handler = () => ({ status: 429, headers: { 'retry-after': '3600' } });
      await expect(clientOf().listTasks()).rejects.toMatchObject({ code: 'too-many-requests' });
      expect(api.requests).toHaveLength(1);
    });
  });

  it('says which address did not answer, and why', async () => {
    const port = await closedPort();
    const client = clientOf({ api: `http://127.0.0.1:${port}`, maxAttempts: 2 });
    await expect(client.getTask('t1')).rejects.toMatchObject({
      code: 'unavailable',
      message: `Rivera's API did not answer GET http://127.0.0.1:${port}/v1/tasks/t1: connect ECONNREFUSED 127.0.0.1:${port}. Check that it runs and that the address is right.`,
    });
  });

  it('gives up on a server that says nothing', async () => {
    api.handler = () => undefined;
    await expect(clientOf({ timeoutMs: 500, maxAttempts: 2 }).listTasks()).rejects.toThrow(
      /no answer within 500 ms/,
    );
    expect(api.requests).toHaveLength(2);
  });

  it('keeps the deadline of the whole call', async () => {
    api.handler = () => undefined;
    await expect(
      clientOf({ timeoutMs: 500, deadlineMs: 700, baseDelayMs: 5_000, maxDelayMs: 5_000 }).listTasks(),
    ).rejects.toThrow(/no answer/);
    expect(api.requests).toHaveLength(1);
  });

  describe('abort', () => {
    it('ends a call that waits for the server, with the reason of the caller', async () => {
      const controller = new AbortController();
      api.handler = () => {
        controller.abort(new Error('enough'));
        return undefined;
      };
      await expect(clientOf().listTasks({}, { signal: controller.signal })).rejects.toThrow('enough');
      expect(api.requests).toHaveLength(1);
    });

    it('ends a call that waits to try again', async () => {
      const controller = new AbortController();
      api.handler = () => ({ status: 503 });
      const client = clientOf({
        baseDelayMs: 20_000,
        maxDelayMs: 20_000,
        random: () => {
          // The delay is being decided: the next thing is the wait.
          queueMicrotask(() => controller.abort(new Error('enough')));
          return 0;
        },
      });
      await expect(client.listTasks({}, { signal: controller.signal })).rejects.toThrow('enough');
    });

    it('sends nothing when it came before', async () => {
      const signal = AbortSignal.abort(new Error('enough'));
      await expect(clientOf().listTasks({}, { signal })).rejects.toThrow('enough');
      expect(api.requests).toHaveLength(0);
    });
  });
});

describe('backoffMs', () => {
  it('doubles up to its bound, the upper half left to chance', () => {
    const low = { baseDelayMs: 100, maxDelayMs: 1000, random: () => 0 };
    expect([1, 2, 3, 4, 5, 60].map((n) => backoffMs(n, low))).toEqual([50, 100, 200, 400, 500, 500]);
    expect(backoffMs(1, { ...low, random: () => 0.5 })).toBe(75);
  });
});

describe('retryAfterMs', () => {
  it('reads seconds and dates', () => {
    const now = Date.parse('2024-01-01T00:00:00Z');
    expect(retryAfterMs('2', now)).toBe(2000);
    expect(retryAfterMs('Mon, 01 Jan 2024 00:00:05 GMT', now)).toBe(5000);
    expect(retryAfterMs('Mon, 01 Jan 2023 00:00:05 GMT', now)).toBe(0);
    expect(retryAfterMs('soon', now)).toBeUndefined();
    expect(retryAfterMs(undefined, now)).toBeUndefined();
  });
});
