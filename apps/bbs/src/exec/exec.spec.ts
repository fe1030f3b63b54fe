import request from 'supertest';
import { RiveraError } from '#rivera/models';
import { isData, type Session } from '#rivera/session';
import { type BbsHarness, startBbs } from '#test/bbs.js';
import { aDesiredLRP } from '#test/builders.js';
import { FakeCell } from '#test/fake-cell.js';
import { type LinkedCell, type SessionHandlers, startLinkedCell } from '#test/linked-cell.js';

let bbs: BbsHarness;
let other: BbsHarness;
let linked: LinkedCell;
/** What the cell does; each test scripts its own. */
let exec: SessionHandlers['exec'];
let streamIn: SessionHandlers['stream-in'];
let streamOut: SessionHandlers['stream-out'];

beforeAll(async () => {
  bbs = await startBbs({ env: { SESSION_TIMEOUT_MS: '2000' } });
  other = await startBbs({ redis: bbs.redis });
  linked = await startLinkedCell(bbs, 'cell-1', {
    exec: (session, wanted) => exec(session, wanted),
    'stream-in': (session, wanted) => streamIn(session, wanted),
    'stream-out': (session, wanted) => streamOut(session, wanted),
  });
});
afterAll(async () => {
  await linked.stop();
  await other.stop();
  await bbs.stop();
});
beforeEach(() => {
  exec = echo;
  bbs.log.length = 0;
});

/** Says back what it gets, in capitals on stderr; ends with the end of its input. */
async function echo(session: Session): Promise<void> {
  await session.send({ type: 'opened' });
  for await (const message of session.messages()) {
    if (isData(message)) {
      await session.sendData('stdout', message.bytes);
      await session.sendData('stderr', Buffer.from(message.bytes.toString().toUpperCase()));
    } else if (message.type === 'eof') return session.end({ type: 'end', status: 7 });
  }
}

async function running(domain = 'some-domain'): Promise<string> {
  const { processGuid } = await bbs.client().desireLRP(aDesiredLRP({ domain }));
  await linked.cell.run(processGuid);
  return processGuid;
}

async function errorOf(promise: Promise<unknown>): Promise<RiveraError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RiveraError);
  return error as RiveraError;
}

const SH = { path: '/bin/sh', args: ['-c', 'true'], env: [{ name: 'SECRET', value: 'hush' }], stdin: true };

describe('exec', () => {
  it.each([
    ['the bbs of the cell', () => bbs],
    ['another bbs', () => other],
  ] as const)('carries input, both outputs and the exit status, asked of %s', async (_which, which) => {
    const guid = await running();
    const process = await which().client().exec(guid, 0, SH);
    await process.write(Buffer.from('hello'));
    await process.closeInput();
    let [out, err] = ['', ''];
    const status = await process.follow({
      stdout: (chunk) => void (out += chunk.toString()),
      stderr: (chunk) => void (err += chunk.toString()),
    });
    expect([status, out, err]).toEqual([7, 'hello', 'HELLO']);
  });

  it('hands the cell the request, sizes and signals', async () => {
    const guid = await running();
    const seen: unknown[] = [];
    exec = async (session, wanted) => {
      seen.push(wanted);
      await session.send({ type: 'opened' });
      for await (const message of session.messages()) {
        seen.push(message);
        if (!isData(message) && message.type === 'signal') return session.end({ type: 'end', status: 130 });
      }
    };
    const process = await bbs.client().exec(guid, 0, { path: 'sh', tty: { columns: 80, rows: 24 } });
    await process.resize({ columns: 100, rows: 40 });
    await process.signal('SIGINT');
    expect(await process.follow({ stdout: () => {}, stderr: () => {} })).toBe(130);
    expect(seen).toEqual([
      { kind: 'exec', guid: expect.any(String), exec: { path: 'sh', tty: { columns: 80, rows: 24 } } },
      { type: 'resize', columns: 100, rows: 40 },
      { type: 'signal', signal: 'SIGINT' },
    ]);
  });

  it('makes the cell wait for a client that does not read, and loses nothing', async () => {
    const guid = await running();
    const size = 64 * 1024 * 1024;
    let sent = 0;
    exec = async (session) => {
      await session.send({ type: 'opened' });
      for (; sent < size; sent += 1024 * 1024)
        await session.sendData('stdout', Buffer.alloc(1024 * 1024, sent >> 20));
      session.end({ type: 'end', status: 0 });
    };
    const process = await bbs.client().exec(guid, 0, { path: 'cat' });
    // It is stuck when it gets no further from one look to the next.
    let before = -1;
    await vi.waitFor(
      () => {
        const isStuck = sent === before;
        before = sent;
        expect(isStuck).toBe(true);
      },
      { interval: 300, timeout: 20_000 },
    );
    expect(sent).toBeLessThan(size / 2);
    let received = 0;
    let isIntact = true;
    const status = await process.follow({
      stdout: (chunk) => {
        for (let at = 0; at < chunk.length; at += 4_096) isIntact &&= chunk[at] === (received + at) >> 20;
        received += chunk.length;
      },
      stderr: () => {},
    });
    expect([status, received, isIntact]).toEqual([0, size, true]);
  });

  it('ends over there when the client leaves', async () => {
    const guid = await running();
    let end: () => void;
    const ended = new Promise<void>((resolve) => (end = resolve));
    exec = async (session) => {
      void session.closed.then(() => end());
      await session.send({ type: 'opened' });
      for await (const message of session.messages()) void message;
    };
    const process = await bbs.client().exec(guid, 0, SH);
    process.leave();
    await ended;
    await vi.waitFor(() => expect(linked.sessions).toBe(0));
  });

  it('tells the client when the cell is cut off', async () => {
    const guid = await running();
    exec = async (session) => {
      await session.send({ type: 'opened' });
      session.destroy();
    };
    const process = await bbs.client().exec(guid, 0, SH);
    const error = await errorOf(process.follow({ stdout: () => {}, stderr: () => {} }));
    expect(error).toMatchObject({ code: 'cell-unreachable' });
  });

  it('passes on what the cell refuses, and its own faults without their text', async () => {
    const guid = await running();
    exec = () => Promise.reject(new RiveraError('not-found', 'There is no program "/nope".'));
    expect(await errorOf(bbs.client().exec(guid, 0, SH))).toMatchObject({
      code: 'not-found',
      message: /nope/,
    });
    exec = () => Promise.reject(new TypeError('secret'));
    const fault = await errorOf(bbs.client().exec(guid, 0, SH));
    expect(fault.code).toBe('internal');
    expect(fault.message).not.toContain('secret');
  });

  it('refuses a request that makes no sense, field by field', async () => {
    const guid = await running();
    const wrong = { path: '', args: [1], surprise: true } as never;
    const error = await errorOf(bbs.client().exec(guid, 0, wrong));
    expect(error).toMatchObject({ code: 'invalid-request' });
    expect(error.details.fields?.map(({ field }) => field).toSorted()).toEqual([
      'args[0]',
      'path',
      'surprise',
    ]);
  });

  it('is audited with who, where, what and how it ended, without environment and input', async () => {
    const guid = await running();
    const process = await bbs.client().exec(guid, 0, SH);
    await process.write(Buffer.from('my password'));
    await process.closeInput();
    await process.follow({ stdout: () => {}, stderr: () => {} });
    const entries = await vi.waitFor(() => {
      const found = bbs.log.filter((line) => line.includes('-session"'));
      expect(found).toHaveLength(2);
      return found.map((line) => JSON.parse(line) as Record<string, unknown>);
    });
    const entry = {
      session: 'audit',
      subject: 'tester',
      kind: 'exec',
      params: { processGuid: guid, index: 0 },
      cellId: 'cell-1',
      command: ['/bin/sh', '-c', 'true'],
      traceId: expect.stringMatching(/^\w{32}$/),
    };
    expect(entries).toMatchObject([
      { ...entry, message: 'began-session' },
      { ...entry, message: 'ended-session', result: 'done', exitStatus: 7, durationMs: expect.any(Number) },
    ]);
    expect(bbs.log.join('')).not.toMatch(/hush|my password/);
  });
});

describe('who may not', () => {
  it('an unknown instance, one of a foreign domain, and one without a cell', async () => {
    const guid = await running('foreign');
    expect(await errorOf(bbs.client().exec(guid, 5, SH))).toMatchObject({ code: 'not-found' });
    expect(await errorOf(bbs.client().exec('nobody', 0, SH))).toMatchObject({ code: 'not-found' });
    const limited = bbs.client({ token: bbs.token({ domains: ['mine'] }) });
    const foreign = await errorOf(limited.exec(guid, 0, SH));
    const unknown = await errorOf(limited.exec('nobody', 0, SH));
    expect(foreign.message.replaceAll(guid, 'nobody')).toBe(unknown.message);
    const { processGuid } = await bbs.client().desireLRP(aDesiredLRP());
    expect(await errorOf(bbs.client().exec(processGuid, 0, SH))).toMatchObject({
      code: 'invalid-state-transition',
      message: expect.stringContaining('UNCLAIMED') as string,
    });
  });

  it('nobody without the scope or the token', async () => {
    const guid = await running();
    const weak = bbs.client({ token: bbs.token({ scopes: ['lrps:read', 'lrps:write'] }) });
    expect(await errorOf(weak.exec(guid, 0, SH))).toMatchObject({ code: 'forbidden', message: /lrps:exec/ });
    expect(await errorOf(bbs.client({ token: 'nonsense' }).exec(guid, 0, SH))).toMatchObject({
      code: 'unauthenticated',
    });
  });

  it('unnoticed: a refused attempt is in the audit log', async () => {
    const guid = await running();
    await errorOf(bbs.client({ token: bbs.token({ subject: 'mallory', scopes: [] }) }).exec(guid, 0, SH));
    const entry = await vi.waitFor(() => {
      const line = bbs.log.find((each) => each.includes('audited-call') && each.includes('mallory'));
      return JSON.parse(line ?? '') as object;
    });
    expect(entry).toMatchObject({
      session: 'audit',
      route: '/v1/actual-lrps/:processGuid/:index/exec',
      params: { processGuid: guid, index: '0' },
      status: 403,
      code: 'forbidden',
    });
  });

  it('a plain request: it is told to upgrade', async () => {
    const guid = await running();
    const { body } = await bbs.as('lrps:exec').get(`/v1/actual-lrps/${guid}/0/exec`).expect(426);
    expect(body).toMatchObject({ code: 'upgrade-required' });
  });
});

describe('a cell that does not come', () => {
  it('is told as 504 with what to do, at once when it is known to be missing', async () => {
    const deaf = await new FakeCell(bbs, 'deaf').register();
    const { processGuid } = await bbs.client().desireLRP(aDesiredLRP());
    await deaf.run(processGuid);
    const error = await errorOf(bbs.client().exec(processGuid, 0, SH));
    expect(error).toMatchObject({ code: 'cell-unreachable', details: { status: 504 } });
    expect(error.message).toMatch(/"deaf".*did not connect.*BBS_ADVERTISED_URL/);
  });

  it('cannot be impersonated: neither by another cell nor by guessing', async () => {
    const get = (cellId: string, path: string) =>
      request(bbs.url)
        .get(path)
        .auth(bbs.token({ scopes: ['cell'], cellId }), { type: 'bearer' });
    await get('cell-2', '/v1/cells/cell-1/sessions/x').expect(403);
    const dial = bbs.cellClient('cell-1').joinSession('cell-1', { url: bbs.url, sessionId: 'guessed' });
    expect(await errorOf(dial)).toMatchObject({ code: 'not-found' });
  });
});

describe('files', () => {
  it('go in and out as streams', async () => {
    const guid = await running();
    const received: Buffer[] = [];
    let wanted: unknown;
    streamIn = async (session, request_) => {
      wanted = request_;
      await session.send({ type: 'opened' });
      for await (const message of session.messages()) {
        if (isData(message)) received.push(message.bytes);
        else if (message.type === 'eof') return session.end({ type: 'end' });
      }
    };
    const tar = Buffer.alloc(300_000, 'x');
    await bbs.client().streamIn(guid, 0, { path: '/tmp', user: 'vcap', tar: chunks(tar) });
    expect(Buffer.concat(received).equals(tar)).toBe(true);
    expect(wanted).toEqual({ kind: 'stream-in', guid: expect.any(String), path: '/tmp', user: 'vcap' });

    streamOut = async (session) => {
      await session.send({ type: 'opened' });
      await session.sendData('stdout', tar);
      session.end({ type: 'end' });
    };
    const back: Buffer[] = [];
    for await (const chunk of await bbs.client().streamOut(guid, 0, '/tmp/x')) back.push(chunk);
    expect(Buffer.concat(back).equals(tar)).toBe(true);
  });

  it('that are refused on the way fail with the reason of the cell', async () => {
    const guid = await running();
    streamIn = async (session) => {
      await session.send({ type: 'opened' });
      throw new RiveraError('internal', 'The disk is full.');
    };
    const endless = (async function* () {
      for (;;) yield Buffer.alloc(65_536);
    })();
    expect(await errorOf(bbs.client().streamIn(guid, 0, { path: '/tmp', tar: endless }))).toMatchObject({
      message: 'The disk is full.',
    });
    const outside = bbs.client().streamOut(guid, 0, 'relative');
    expect(await errorOf(outside)).toMatchObject({ code: 'invalid-request' });
  });
});

async function* chunks(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000);
}
