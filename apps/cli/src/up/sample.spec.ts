import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { Api } from './api.js';
import { awaitSample, desireSample } from './sample.js';

type Answer = [status: number, body: unknown];

describe('the sample', () => {
  const servers: Server[] = [];
  const signal = new AbortController().signal;
  afterEach(() => servers.splice(0).forEach((server) => server.close()));

  async function serve(answer: (request: string) => Answer): Promise<number> {
    const server = createServer((request, response) => {
      const [status, body] = answer(`${request.method} ${request.url}`);
      response.writeHead(status, { connection: 'close' }).end(JSON.stringify(body));
    }).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  /** An API that answers as told, with 404 to everything else. */
  async function apiWith(answers: Record<string, () => Answer>) {
    const asked: string[] = [];
    const port = await serve((request) => {
      asked.push(request);
      return answers[request]?.() ?? [404, {}];
    });
    return { api: new Api(`http://127.0.0.1:${port}`, 'token'), asked };
  }

  const LIST = 'GET /v1/actual-lrps?processGuid=sample';
  const running = (index: number, hostPort: number) => ({
    index,
    state: 'RUNNING',
    netInfo: { address: '127.0.0.1', ports: [{ containerPort: 8080, hostPort }] },
  });

  it('is desired with two instances', async () => {
    const { api, asked } = await apiWith({ 'POST /v1/desired-lrps': () => [201, {}] });
    expect(await desireSample(api)).toBe(2);
    expect(asked).toEqual(['POST /v1/desired-lrps']);
  });

  it('stays as somebody left it, but does not wait for a crash back-off', async () => {
    const { api, asked } = await apiWith({
      'POST /v1/desired-lrps': () => [409, {}],
      'GET /v1/desired-lrps/sample': () => [200, { instances: 5 }],
      [LIST]: () => [200, { items: [running(0, 1), { index: 1, state: 'CRASHED' }] }],
    });
    expect(await desireSample(api)).toBe(5);
    expect(asked.filter((request) => request.startsWith('DELETE'))).toEqual([
      'DELETE /v1/actual-lrps/sample/1',
    ]);
  });

  it('says why it is refused', async () => {
    const { api } = await apiWith({ 'POST /v1/desired-lrps': () => [403, { code: 'forbidden' }] });
    await expect(desireSample(api)).rejects.toThrow('status 403: {"code":"forbidden"}');
  });

  it('is well once all instances run and answer', async () => {
    const port = await serve(() => [200, 'hello']);
    let asked = 0;
    const { api } = await apiWith({
      [LIST]: () => [
        200,
        { items: asked++ === 0 ? [running(0, port)] : [running(0, port), running(1, port)] },
      ],
    });
    const url = `http://127.0.0.1:${port}`;
    expect(await awaitSample(api, 2, { signal, withinMs: 20_000 })).toEqual({
      answering: [url, url],
      missing: [],
    });
  });

  it('says what is wrong when it is not well in time', async () => {
    const deaf = await serve(() => [500, 'broken']);
    const { api } = await apiWith({
      [LIST]: () => [
        200,
        {
          items: [
            running(0, deaf),
            { index: 1, state: 'UNCLAIMED', placementError: 'insufficient resources: memory' },
          ],
        },
      ],
    });
    const { answering, missing } = await awaitSample(api, 3, { signal, withinMs: 0 });
    expect(answering).toEqual([]);
    expect(missing.toSorted()).toEqual([
      `instance 0 is RUNNING (http://127.0.0.1:${deaf} does not answer)`,
      'instance 1 is UNCLAIMED (insufficient resources: memory)',
      'nothing is known of 1 instances',
    ]);
  });
});
