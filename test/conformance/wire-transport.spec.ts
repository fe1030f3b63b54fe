/** Diego BBS wire reference §1.1: what every route has in common, over a bare socket. */
import * as wire from '#rivera/diego-wire';
import { RiveraError } from '#rivera/models';
import { ProcessRepository } from '#rivera/store';
import { type BbsHarness, startBbs } from '../support/bbs.js';
import { WireConnection } from '../support/wire.js';
import { WIRE_ENV, wirePort } from '../support/wire-bbs.js';

interface Route {
  path: string;
  /** It answers without an error when its request says nothing. */
  needsNothing?: true;
  /** Nobody looks at its request. */
  isUnread?: true;
  /** What the answer to an unreadable request says of the container. */
  keep?: boolean;
}

/** Every procedure of §1.2 and §1.3. */
const ROUTES: Route[] = [
  { path: '/v1/ping', needsNothing: true, isUnread: true },
  { path: '/v1/domains/list', needsNothing: true, isUnread: true },
  { path: '/v1/domains/upsert' },
  { path: '/v1/cells/list.r1', needsNothing: true, isUnread: true },
  { path: '/v1/actual_lrps/list', needsNothing: true },
  { path: '/v1/actual_lrps/list_by_process_guids' },
  { path: '/v1/actual_lrps/claim' },
  { path: '/v1/actual_lrps/start' },
  { path: '/v1/actual_lrps/start.r1' },
  { path: '/v1/actual_lrps/crash' },
  { path: '/v1/actual_lrps/fail' },
  { path: '/v1/actual_lrps/remove' },
  { path: '/v1/actual_lrps/retire' },
  { path: '/v1/actual_lrps/remove_evacuating' },
  { path: '/v1/actual_lrps/evacuate_claimed', keep: true },
  { path: '/v1/actual_lrps/evacuate_crashed', keep: false },
  { path: '/v1/actual_lrps/evacuate_stopped', keep: false },
  { path: '/v1/actual_lrps/evacuate_running', keep: true },
  { path: '/v1/actual_lrps/evacuate_running.r1', keep: true },
  { path: '/v1/actual_lrp_groups/list', needsNothing: true },
  { path: '/v1/actual_lrp_groups/list_by_process_guid' },
  { path: '/v1/actual_lrp_groups/get_by_process_guid_and_index' },
  { path: '/v1/desired_lrps/list.r3', needsNothing: true },
  { path: '/v1/desired_lrps/list.r2', needsNothing: true },
  { path: '/v1/desired_lrps/get_by_process_guid.r3' },
  { path: '/v1/desired_lrps/get_by_process_guid.r2' },
  { path: '/v1/desired_lrp_scheduling_infos/list', needsNothing: true },
  { path: '/v1/desired_lrp_scheduling_infos/get_by_process_guid' },
  { path: '/v1/desired_lrp_routing_infos/list', needsNothing: true },
  { path: '/v1/desired_lrp/desire.r2' },
  { path: '/v1/desired_lrp/update' },
  { path: '/v1/desired_lrp/remove' },
  { path: '/v1/tasks/list.r3', needsNothing: true },
  { path: '/v1/tasks/list.r2', needsNothing: true },
  { path: '/v1/tasks/get_by_task_guid.r3' },
  { path: '/v1/tasks/get_by_task_guid.r2' },
  { path: '/v1/tasks/desire.r2' },
  { path: '/v1/tasks/start' },
  { path: '/v1/tasks/cancel' },
  { path: '/v1/tasks/reject' },
  { path: '/v1/tasks/fail' },
  { path: '/v1/tasks/complete' },
  { path: '/v1/tasks/resolving' },
  { path: '/v1/tasks/delete' },
];
const STREAMS = [
  ['POST', '/v1/events/lrp_instances.r1'],
  ['POST', '/v1/events/lrp_instances'],
  ['POST', '/v1/events/tasks.r1'],
  ['POST', '/v1/events/tasks'],
  ['GET', '/v1/events'],
  ['GET', '/v1/events.r1'],
] as const;

const BODY_LIMIT = 65_536;
let bbs: BbsHarness;
let connection: WireConnection;
beforeAll(async () => {
  bbs = await startBbs({ env: { ...WIRE_ENV, BODY_LIMIT_BYTES: String(BODY_LIMIT) } });
});
afterAll(() => bbs.stop());
beforeEach(async () => {
  connection = await WireConnection.open(wirePort(bbs));
});
/** Whatever was asked, the connection is still good afterwards, and so is the server. */
afterEach(async () => {
  const answer = await connection.send('/v1/ping');
  expect([answer.status, answer.body.toString('hex')]).toEqual([200, '0801']);
  connection.close();
});

/** Any answer with an error in field 1 reads as this one does. */
const errorOf = (body: Buffer) => wire.EvacuationResponse.decode(body);
const INVALID = wire.ErrorType.InvalidRequest;

describe.each(ROUTES)('1.1 $path', ({ path, needsNothing, isUnread, keep }) => {
  it('answers an empty request in an envelope', async () => {
    const { status, headers, body } = await connection.send(path);
    expect([status, headers['content-type'], headers['content-length']]).toEqual([
      200,
      'application/x-protobuf',
      String(body.length),
    ]);
    if (isUnread) return;
    const { error } = errorOf(body);
    if (needsNothing) expect(error).toBeNull();
    else
      expect(error).toMatchObject({ type: INVALID, message: expect.stringMatching(/^Invalid field: \w+/) });
  });

  it('says that it cannot read what is no protobuf', async () => {
    for (const malformed of ['ff', '0a', '0aff', '08', '12ff01', 'ffffffffffffffffffff01', '0b0b0b']) {
      const { status, body } = await connection.send(path, { body: Buffer.from(malformed, 'hex') });
      expect(status).toBe(200);
      if (isUnread) continue;
      expect(errorOf(body).error).toMatchObject({
        type: INVALID,
        message: 'the request received is invalid',
      });
      if (keep !== undefined) expect(errorOf(body).keepContainer).toBe(keep);
    }
  });

  it('refuses more than it takes, and reads on after it', async () => {
    const { status, body } = await connection.send(path, { body: Buffer.alloc(BODY_LIMIT + 1) });
    expect(status).toBe(200);
    expect(errorOf(body).error).toMatchObject({
      type: INVALID,
      message: 'the request received is too large',
    });
  });

  it('does not look at the content type', async () => {
    for (const type of ['application/json', 'text/html; charset=utf-8', '']) {
      const headers = { 'content-type': type };
      const { status, headers: answered } = await connection.send(path, { headers });
      expect([status, answered['content-type']]).toEqual([200, 'application/x-protobuf']);
    }
  });

  it('answers 405 to another method', async () => {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const { status, headers } = await connection.send(path, { method });
      expect([status, headers['allow']]).toEqual([405, 'POST']);
    }
  });
});

describe('1.1 requests of all kinds', () => {
  it('404 with a text for what there is not', async () => {
    for (const path of [
      '/',
      '/v1/ping/',
      '/v2/ping',
      '/v1/actual_lrps/start.r2',
      '/constructor',
      '/__proto__',
      '/v1/%00',
      '//',
    ]) {
      const { status, headers, body } = await connection.send(path);
      expect([path, status, body.toString()]).toEqual([path, 404, '404 page not found\n']);
      expect(headers['content-type']).toMatch(/^text\/plain/);
    }
  });

  it('a query is no part of the path', async () => {
    expect((await connection.send('/v1/ping?x=1')).status).toBe(200);
  });

  it('streams answer to their own method only', async () => {
    for (const [method, path] of STREAMS) {
      const { status } = await connection.send(path, { method: method === 'GET' ? 'POST' : 'GET' });
      expect([path, status]).toEqual([path, 405]);
    }
  });

  it('a stream whose request cannot be read is refused with 500 and nothing else', async () => {
    const { status, body } = await connection.send('/v1/events/lrp_instances.r1', {
      body: Buffer.from([0xff]),
    });
    expect([status, body.length]).toEqual([500, 0]);
  });

  it('a body in chunks, and one that is too large in chunks', async () => {
    const chunked = { 'transfer-encoding': 'chunked' };
    const request = wire.UpsertDomainRequest.encode({ domain: 'chunked' });
    const send = async (chunks: Buffer[]) => {
      connection.socket.write(
        'POST /v1/domains/upsert HTTP/1.1\r\nhost: bbs\r\n' +
          Object.entries(chunked)
            .map(([name, value]) => `${name}: ${value}\r\n`)
            .join('') +
          '\r\n',
      );
      for (const chunk of chunks) {
        connection.socket.write(`${chunk.length.toString(16)}\r\n`);
        connection.socket.write(chunk);
        connection.socket.write('\r\n');
      }
      connection.socket.write('0\r\n\r\n');
      return connection.answer();
    };
    expect((await send([request.subarray(0, 3), request.subarray(3)])).body).toHaveLength(0);
    const large = await send([Buffer.alloc(40_000), Buffer.alloc(40_000)]);
    expect(errorOf(large.body).error).toMatchObject({ message: 'the request received is too large' });
  });

  it('requests one after the other without waiting', async () => {
    for (let i = 0; i < 3; i++) connection.write('/v1/ping');
    for (let i = 0; i < 3; i++) expect((await connection.answer()).status).toBe(200);
  });

  it('a client that goes in the middle of its request', async () => {
    const other = await WireConnection.open(wirePort(bbs));
    other.socket.write(
      'POST /v1/desired_lrp/desire.r2 HTTP/1.1\r\nhost: bbs\r\ncontent-length: 1000\r\n\r\nabc',
    );
    await connection.send('/v1/ping');
    other.close();
  });

  it('a fault of the server is an unknown error, told without its cause and logged with it', async () => {
    const body = wire.ActualLRPsByProcessGuidsRequest.encode({ processGuids: ['g'] });
    const read = vi.spyOn(bbs.app.get(ProcessRepository), 'storedActualsOf');
    read.mockRejectedValueOnce(new TypeError('broken in here'));
    const fault = await connection.send('/v1/actual_lrps/list_by_process_guids', { body });
    expect(errorOf(fault.body).error).toMatchObject({
      type: 0,
      message: 'the request failed for an unknown reason',
    });
    expect(bbs.log.join('')).toContain('broken in here');

    read.mockRejectedValueOnce(new RiveraError('unavailable', 'The store does not answer.'));
    const outage = await connection.send('/v1/actual_lrps/list_by_process_guids', { body });
    expect(errorOf(outage.body).error).toMatchObject({ type: 0, message: 'The store does not answer.' });
  });
});
