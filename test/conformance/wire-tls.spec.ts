/** Diego BBS wire reference §1.1: who may connect. */
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import * as wire from '#rivera/diego-wire';
import { RiveraError } from '#rivera/models';
import { loadBbsConfig } from '../../apps/bbs/src/bbs.config.js';
import { type BbsHarness, startBbs } from '../support/bbs.js';
import { Authority, type Certificate } from '../support/certificates.js';
import { WireClient, WireConnection } from '../support/wire.js';
import { wirePort } from '../support/wire-bbs.js';
import { aWireTask, WIRE_PATHS, WIRE_STREAMS, wireAnswer, wireCall } from '../support/wire-calls.js';

let [authority, stranger]: Authority[] = [];
let [server, client, imposter]: Certificate[] = [];
let bbs: BbsHarness;
beforeAll(async () => {
  [authority, stranger] = await Promise.all([Authority.make(), Authority.make()]);
  [server, client, imposter] = [
    await authority.issue('bbs'),
    await authority.issue('client'),
    await stranger.issue('client'),
  ];
  bbs = await startBbs({ env: environment() });
});
afterAll(async () => {
  await bbs.stop();
  await Promise.all([authority?.remove(), stranger?.remove()]);
});

function environment(change: Record<string, string> = {}): Record<string, string> {
  return {
    DIEGO_WIRE_LISTEN: '127.0.0.1:0',
    DIEGO_CERT_FILE: server!.certFile,
    DIEGO_KEY_FILE: server!.keyFile,
    DIEGO_CA_FILE: authority!.caFile,
    ...change,
  };
}

async function ping(tls: ConnectionOptions | undefined): Promise<number> {
  const connection = await WireConnection.open(wirePort(bbs), tls);
  try {
    return (await connection.send('/v1/ping')).status;
  } finally {
    connection.close();
  }
}

const ours = (): ConnectionOptions => ({ ca: authority!.ca, cert: client!.cert, key: client!.key });

describe('1.1 mutual TLS', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'a client with a certificate of the authority, %s',
    async (version) => {
      expect(await ping({ ...ours(), minVersion: version, maxVersion: version })).toBe(200);
    },
  );

  it('the suites of TLS 1.2 that Diego allows', async () => {
    const old = { maxVersion: 'TLSv1.2' } as const;
    for (const ciphers of ['ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES256-GCM-SHA384'])
      expect(await ping({ ...ours(), ...old, ciphers })).toBe(200);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('nobody without a certificate, %s', async (version) => {
    const versions = { minVersion: version, maxVersion: version };
    await expect(ping({ ca: authority!.ca, ...versions })).rejects.toThrow();
    await expect(
      ping({ ...ours(), cert: imposter!.cert, key: imposter!.key, ...versions }),
    ).rejects.toThrow();
    expect(await ping(ours())).toBe(200);
  });

  it('no route, no stream and no state of a cell without a certificate', async () => {
    const asked = [
      ...['/v1/ping', ...WIRE_PATHS].map((path) => ({ method: 'POST', path })),
      ...WIRE_STREAMS,
      { method: 'GET', path: '/cells/cell-1/state' },
    ];
    for (const { method, path } of asked) {
      // With TLS 1.3 a client thinks that it is connected before the server has looked at it.
      const answer = WireConnection.open(wirePort(bbs), { ca: authority!.ca }).then((connection) =>
        connection.send(path, { method }).finally(() => connection.close()),
      );
      await expect(answer, path).rejects.toThrow();
    }
    expect(await ping(ours())).toBe(200);
  });

  it('nobody in plain text, and nobody with TLS 1.1', async () => {
    await expect(ping(undefined)).rejects.toThrow();
    await expect(ping({ ...ours(), minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' })).rejects.toThrow();
    expect(await ping(ours())).toBe(200);
  });

  it('streams, and names in the audit log who changed something', async () => {
    const diego = new WireClient(wirePort(bbs), ours());
    const stream = await diego.follow('/v1/events/tasks.r1');
    const request = aWireTask();
    await wireCall(diego, '/v1/tasks/desire.r2', request);
    const { type, data } = await stream.event();
    expect([type, wire.TaskCreatedEvent.decode(data).task?.taskGuid]).toEqual([
      'task_created',
      request.taskGuid,
    ]);
    stream.close();
    const { error } = await wireAnswer(diego, '/v1/tasks/delete', { taskGuid: 'missing' });
    expect(error?.type).toBe(wire.ErrorType.ResourceNotFound);
    const audited = bbs.log.filter((line) => line.includes('audited-call')).join('');
    expect(audited).toMatch(
      /"subject":"client","api":"diego","route":"\/v1\/tasks\/desire.r2","error":"none"/,
    );
    expect(audited).toMatch(/"route":"\/v1\/tasks\/delete","error":"ResourceNotFound"/);
  });

  it('the server shows that it is the one', async () => {
    await expect(ping({ ...ours(), ca: stranger!.ca })).rejects.toThrow();
  });
});

describe('1.1 the completion callback', () => {
  it('shows the certificate of bbs, and says what Diego says', async () => {
    const told: unknown[] = [];
    const platform = createServer(
      { cert: server!.cert, key: server!.key, ca: authority!.ca, requestCert: true },
      (request, response) => {
        const { subject } = (request.socket as TLSSocket).getPeerCertificate();
        void text(request).then((body) => {
          told.push({ by: subject.CN, ...(JSON.parse(body) as object) });
          return response.end();
        });
      },
    );
    platform.listen(0, '127.0.0.1');
    await once(platform, 'listening');
    const { port } = platform.address() as AddressInfo;
    const { taskGuid, domain, taskDefinition } = aWireTask();
    const diego = new WireClient(wirePort(bbs), ours());
    const completionCallbackUrl = `https://127.0.0.1:${port}/done`;
    const definition = { ...taskDefinition, completionCallbackUrl, annotation: 'mine' };
    await wireCall(diego, '/v1/tasks/desire.r2', { taskGuid, domain, taskDefinition: definition });
    const { task } = await wireCall(diego, '/v1/tasks/get_by_task_guid.r3', { taskGuid });
    await wireCall(diego, '/v1/tasks/cancel', { taskGuid });
    await vi.waitFor(() => expect(told).toHaveLength(1), { timeout: 20_000 });
    expect(told[0]).toMatchObject({
      by: 'bbs',
      task_guid: taskGuid,
      failed: true,
      failure_reason: 'task was cancelled',
      result: '',
      annotation: 'mine',
      created_at: wire.toNumber(task!.createdAt),
    });
    platform.close();
  });
});

describe('1.1 what can be configured', () => {
  const load = (change: Record<string, string | undefined>) =>
    loadBbsConfig({ REDIS_URL: 'redis://localhost', JWT_SECRET: 'x'.repeat(40), ...change }).diego;
  const unset = { DIEGO_CERT_FILE: '', DIEGO_KEY_FILE: '', DIEGO_CA_FILE: '' };

  it('nothing listens unless it is told to', () => {
    expect(load({}).wireListen).toBeUndefined();
    expect(load({ ...environment(), DIEGO_WIRE_LISTEN: '' }).wireListen).toBeUndefined();
  });

  it('plain text on this machine only', () => {
    for (const host of ['127.0.0.1', '127.1.2.3', 'localhost', '[::1]'])
      expect(load({ ...unset, DIEGO_WIRE_LISTEN: `${host}:8891` }).tls).toBeUndefined();
    for (const host of ['', '0.0.0.0', '10.0.0.1', '[::]', 'bbs.service'])
      expect(() => load({ ...unset, DIEGO_WIRE_LISTEN: `${host}:8891` })).toThrow(
        /DIEGO_CERT_FILE is not set/,
      );
  });

  it('all three files or none', () => {
    for (const name of Object.keys(unset))
      expect(() => load(environment({ [name]: '' }))).toThrow(RiveraError);
    expect(() => load(environment({ DIEGO_KEY_FILE: '/does/not/exist' }))).toThrow(/does\/not\/exist/);
    expect(() => load(environment({ DIEGO_WIRE_LISTEN: 'nonsense' }))).toThrow(
      /DIEGO_WIRE_LISTEN is "nonsense"/,
    );
  });
});
