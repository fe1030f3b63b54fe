/** Diego BBS wire reference §1.4 and §1.5: event streams, byte by byte. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as wire from '#rivera/diego-wire';
import type { RunRecord } from '#rivera/lifecycle';
import type {
  ActualLRP,
  DesiredLRPRunInfo,
  DesiredLRPSchedulingInfo,
  RiveraEvent,
  Task,
} from '#rivera/models';
import { desiredLRPAsV0 } from '../../apps/bbs/src/diego/older-revisions.js';
import { GroupDialect } from '../../apps/bbs/src/diego/streams/group-dialect.js';
import { lrpEvents, taskEvent, taskEventV0 } from '../../apps/bbs/src/diego/streams/event-messages.js';
import { type Dialect, plainDialect, type WireEvent } from '../../apps/bbs/src/diego/streams/dialect.js';
import { WireStream } from '../../apps/bbs/src/diego/streams/wire-stream.js';
import { type BbsHarness, startBbs } from '../support/bbs.js';
import { FakeCell } from '../support/fake-cell.js';
import { WireClient, WireConnection, type WireFollower } from '../support/wire.js';
import { WIRE_ENV, wirePort } from '../support/wire-bbs.js';
import {
  aWireDesiredLRP,
  aWireTask,
  type RequestOf,
  wireCall,
  type WirePath,
} from '../support/wire-calls.js';

/** Protobuf by hand: a field of a text, a number or a message. */
function field(number: number, value: string | number | Buffer): Buffer {
  if (typeof value === 'number') return Buffer.concat([varint(number << 3), varint(value)]);
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

function varint(value: number | bigint): Buffer {
  const rest = BigInt(value);
  return rest < 128n
    ? Buffer.from([Number(rest)])
    : Buffer.concat([Buffer.from([Number(rest & 127n) | 128]), varint(rest >> 7n)]);
}

const message = (...fields: Buffer[]) => Buffer.concat(fields);
/** 1,767,225,600,123 ms since the Unix epoch, in nanoseconds. */
const AT = 1_767_225_600_123;
const at = (number: number) => Buffer.concat([varint(number << 3), varint(BigInt(AT) * 1_000_000n)]);

const RESOURCES = { memoryMb: 64, diskMb: 128 };
const unclaimed: ActualLRP = {
  processGuid: 'pg',
  index: 0,
  domain: 'd',
  state: 'UNCLAIMED',
  presence: 'ORDINARY',
  since: AT,
  modificationTag: { epoch: 'e', index: 0 },
  crashCount: 0,
  resources: RESOURCES,
};
const running: ActualLRP = {
  ...unclaimed,
  index: 3,
  state: 'RUNNING',
  modificationTag: { epoch: 'e', index: 2 },
  crashCount: 1,
  crashReason: 'why',
  instanceGuid: 'ig',
  cellId: 'c',
  netInfo: {
    address: '1.2.3.4',
    ports: [{ containerPort: 8080, hostPort: 61_001, hostTlsProxyPort: 61_002 }],
    instanceAddress: '5.6.7.8',
    preferredAddress: 'HOST',
  },
  routable: true,
  availabilityZone: 'z1',
  metricTags: { b: '2', a: '1' },
  internalRoutes: [{ hostname: 'h' }],
};
const evacuating: ActualLRP = { ...running, presence: 'EVACUATING' };

/** The same records as they are on the wire: ActualLRPInfo has the fields from 3 to 10, and its last two elsewhere. */
const key = (index: Buffer = message()) => message(field(1, 'pg'), index, field(3, 'd'));
const ofUnclaimed = message(field(3, ''), field(6, 'UNCLAIMED'), at(8), field(9, message(field(1, 'e'))));
const UNCLAIMED = message(field(1, key()), field(2, ''), ofUnclaimed, field(13, 0));
const UNCLAIMED_INFO = message(ofUnclaimed, field(11, 0));
const RUNNING_KEY = key(field(2, 3));
const RUNNING_INSTANCE = message(field(1, 'ig'), field(2, 'c'));
const ofRunning = (presence: Buffer = message()) =>
  message(
    field(
      3,
      message(
        field(1, '1.2.3.4'),
        field(2, message(field(1, 8080), field(2, 61_001), field(4, 61_002))),
        field(3, '5.6.7.8'),
        field(4, 2),
      ),
    ),
    field(4, 1),
    field(5, 'why'),
    field(6, 'RUNNING'),
    at(8),
    field(9, message(field(1, 'e'), field(2, 2))),
    presence,
  );
const RUNNING_INFO = message(ofRunning(), field(11, 1), field(12, 'z1'));
const rowOf = (presence?: Buffer) =>
  message(
    field(1, RUNNING_KEY),
    field(2, RUNNING_INSTANCE),
    ofRunning(presence),
    field(11, message(field(1, 'h'))),
    field(12, message(field(1, 'a'), field(2, '1'))),
    field(12, message(field(1, 'b'), field(2, '2'))),
    field(13, 1),
    field(14, 'z1'),
  );
const RUNNING = rowOf();
const EVACUATING = rowOf(field(10, 1));

const desired: DesiredLRPSchedulingInfo = {
  processGuid: 'pg',
  domain: 'd',
  instances: 2,
  rootfs: 'preloaded:x',
  memoryMb: 64,
  diskMb: 128,
  logGuid: 'lg',
  annotation: 'note',
  routes: { r: [1] },
  placementTags: ['t'],
  metricTags: { i: { dynamic: 'INDEX' } },
  modificationTag: { epoch: 'e', index: 1 },
};
const DESIRED = message(
  field(1, 'pg'),
  field(2, 'd'),
  field(3, 'preloaded:x'),
  field(4, 2),
  field(10, 128),
  field(11, 64),
  field(15, message(field(1, message(field(1, 'r'), field(2, '[1]'))))),
  field(17, 'lg'),
  field(19, 'note'),
  field(21, message(field(1, 'e'), field(2, 1))),
  field(28, 't'),
  field(35, message(field(1, 'i'), field(2, message(field(2, 1))))),
);

const task: Task = {
  taskGuid: 'tg',
  domain: 'd',
  definition: {
    rootfs: 'preloaded:x',
    memoryMb: 64,
    diskMb: 128,
    action: { timeout: { timeoutMs: 5, action: { run: { path: 'p', user: 'u' } } } },
    imageUsername: 'name',
    imagePassword: 'secret',
  },
  state: 'RUNNING',
  createdAt: AT,
  updatedAt: AT,
  modificationTag: { epoch: 'e', index: 1 },
  cellId: 'c',
  rejectionCount: 1,
  rejectionReason: 'no',
};
const taskOf = (deprecatedTimeout: Buffer = message()) => {
  const run = field(3, message(field(1, 'p'), field(6, 'u')));
  const action = field(4, message(field(1, run), deprecatedTimeout, field(4, 5)));
  return message(
    field(
      1,
      message(field(1, 'preloaded:x'), field(3, action), field(4, 128), field(5, 64), field(23, 'name')),
    ),
    field(2, 'tg'),
    field(3, 'd'),
    at(4),
    at(5),
    field(7, 2),
    field(8, 'c'),
    field(12, 1),
    field(13, 'no'),
  );
};
const TASK = taskOf();
const TASK_V0 = taskOf(field(2, 5_000_000));

async function told(dialect: Dialect, ...events: RiveraEvent[]): Promise<[type: string, hex: string][]> {
  const emitted: WireEvent[] = [];
  for (const event of events) dialect.tell(event, (each) => emitted.push(each));
  await Promise.resolve();
  return emitted.map(({ type, data }) => [type, Buffer.from(data, 'base64').toString('hex')]);
}

/** The run halves of desired LRPs are not known. */
const withoutRun = lrpEvents({ of: () => ({}) });

const hex = (...fields: Buffer[]) => message(...fields).toString('hex');

describe('1.4 every event of instances', () => {
  const instances = plainDialect(withoutRun.instances);

  it('actual_lrp_instance_created', async () => {
    expect(await told(instances, { type: 'actual_lrp_created', after: unclaimed })).toEqual([
      ['actual_lrp_instance_created', hex(field(1, UNCLAIMED))],
    ]);
    expect(await told(instances, { type: 'actual_lrp_created', after: running })).toEqual([
      ['actual_lrp_instance_created', hex(field(1, RUNNING))],
    ]);
  });

  it('actual_lrp_instance_changed: keys of afterwards, or of before where there are none any more', async () => {
    const back = { ...unclaimed, index: 3 };
    expect(
      await told(
        instances,
        { type: 'actual_lrp_changed', before: back, after: running },
        { type: 'actual_lrp_changed', before: running, after: back },
      ),
    ).toEqual(
      [
        [UNCLAIMED_INFO, RUNNING_INFO],
        [RUNNING_INFO, UNCLAIMED_INFO],
      ].map(([before, after]) => [
        'actual_lrp_instance_changed',
        hex(field(1, RUNNING_KEY), field(2, RUNNING_INSTANCE), field(3, before!), field(4, after!)),
      ]),
    );
  });

  it('actual_lrp_instance_removed', async () => {
    expect(await told(instances, { type: 'actual_lrp_removed', before: running })).toEqual([
      ['actual_lrp_instance_removed', hex(field(1, RUNNING))],
    ]);
  });

  it('actual_lrp_crashed', async () => {
    const crashed: RiveraEvent = {
      type: 'actual_lrp_crashed',
      before: { ...running, since: 1 },
      crashCount: 2,
      crashReason: 'boom',
      since: AT,
    };
    const expected = hex(
      field(1, RUNNING_KEY),
      field(2, RUNNING_INSTANCE),
      field(3, 2),
      field(4, 'boom'),
      at(5),
    );
    expect(await told(instances, crashed)).toEqual([['actual_lrp_crashed', expected]]);
    expect(await told(new GroupDialect(withoutRun.common), crashed)).toEqual([
      ['actual_lrp_crashed', expected],
    ]);
  });

  it.each([
    ['instances', () => plainDialect(withoutRun.instances)],
    ['groups', () => new GroupDialect(withoutRun.common)],
  ])('desired_lrp_created, changed and removed, in streams of %s', async (_, dialect) => {
    const before = { ...desired, annotation: undefined };
    const BEFORE = DESIRED.subarray(0, DESIRED.indexOf(field(19, 'note')));
    const AFTER_NOTE = DESIRED.subarray(BEFORE.length + field(19, 'note').length);
    expect(
      await told(
        dialect(),
        { type: 'desired_lrp_created', after: desired },
        { type: 'desired_lrp_changed', before, after: desired },
        { type: 'desired_lrp_removed', before: desired },
      ),
    ).toEqual([
      ['desired_lrp_created', hex(field(1, DESIRED))],
      ['desired_lrp_changed', hex(field(1, message(BEFORE, AFTER_NOTE)), field(2, DESIRED))],
      ['desired_lrp_removed', hex(field(1, DESIRED))],
    ]);
  });

  it('desired LRPs whole, as they were and as they are, for clients of both revisions', async () => {
    const imageLayers = [
      { url: 'u', destinationPath: '/s', layerType: 'SHARED', mediaType: 'TGZ' },
    ] as DesiredLRPRunInfo['imageLayers'];
    const run = (imageUsername: string): RunRecord => ({
      processGuid: 'pg',
      modificationTag: { epoch: 'e', index: 0 },
      action: { timeout: { timeoutMs: 5, action: { run: { path: 'p', user: 'u' } } } },
      startTimeoutMs: 2_500,
      imageUsername,
      imagePassword: 'secret',
      imageLayers,
    });
    const halves = { of: () => ({ before: run('was'), after: run('is') }) };
    const action = field(3, message(field(1, 'p'), field(6, 'u')));
    const timeout = (deprecated: Buffer) =>
      field(7, field(4, message(field(1, action), deprecated, field(4, 5))));
    const [head, middle, tail] = [
      DESIRED.subarray(0, DESIRED.indexOf(field(10, 128))),
      DESIRED.subarray(DESIRED.indexOf(field(10, 128)), DESIRED.indexOf(field(28, 't'))),
      DESIRED.subarray(DESIRED.indexOf(field(35, message(field(1, 'i'), field(2, message(field(2, 1))))))),
    ];
    const layer = field(34, message(field(2, 'u'), field(3, '/s'), field(4, 1), field(5, 1)));
    const others = message(middle, field(27, 2_500), field(28, 't'));
    const whole = (name: string) => message(head, timeout(message()), others, field(31, name), layer, tail);
    const download = field(1, message(field(2, 'u'), field(3, '/s'), field(4, 'u')));
    const setup = field(6, field(7, field(1, download)));
    const old = (name: string) => {
      const times = message(timeout(field(2, 5_000_000)), field(8, 2));
      return message(head, setup, times, others, field(31, name), tail);
    };
    const events: RiveraEvent[] = [
      { type: 'desired_lrp_created', after: desired },
      { type: 'desired_lrp_changed', before: desired, after: desired },
      { type: 'desired_lrp_removed', before: desired },
    ];
    const expected = (bytes: (name: string) => Buffer) => [
      ['desired_lrp_created', hex(field(1, bytes('is')))],
      ['desired_lrp_changed', hex(field(1, bytes('was')), field(2, bytes('is')))],
      ['desired_lrp_removed', hex(field(1, bytes('was')))],
    ];
    const [r1, r0] = [lrpEvents(halves), lrpEvents(halves, desiredLRPAsV0)];
    expect(await told(plainDialect(r1.instances), ...events)).toEqual(expected(whole));
    expect(await told(new GroupDialect(r1.common), ...events)).toEqual(expected(whole));
    expect(await told(plainDialect(r0.instances), ...events)).toEqual(expected(old));
  });

  it('the trace id of the request, but not of crashes', async () => {
    const traceId = 'tr';
    const crash = { crashCount: 1, since: AT };
    const events: RiveraEvent[] = [
      { type: 'actual_lrp_created', after: unclaimed, traceId },
      { type: 'actual_lrp_changed', before: running, after: running, traceId },
      { type: 'actual_lrp_removed', before: running, traceId },
      { type: 'actual_lrp_crashed', before: running, ...crash, traceId },
      { type: 'desired_lrp_created', after: desired, traceId },
      { type: 'desired_lrp_changed', before: desired, after: desired, traceId },
      { type: 'desired_lrp_removed', before: desired, traceId },
    ];
    const keys = message(field(1, RUNNING_KEY), field(2, RUNNING_INSTANCE));
    expect((await told(instances, ...events)).map(([, bytes]) => bytes)).toEqual([
      hex(field(1, UNCLAIMED), field(2, 'tr')),
      hex(keys, field(3, RUNNING_INFO), field(4, RUNNING_INFO), field(5, 'tr')),
      hex(field(1, RUNNING), field(2, 'tr')),
      hex(keys, field(3, 1), at(5)),
      hex(field(1, DESIRED), field(2, 'tr')),
      hex(field(1, DESIRED), field(2, DESIRED), field(3, 'tr')),
      hex(field(1, DESIRED), field(2, 'tr')),
    ]);
  });

  it('nothing of tasks and cells', async () => {
    expect(await told(instances, { type: 'task_created', after: task })).toEqual([]);
    expect(await told(new GroupDialect(withoutRun.common), { type: 'task_created', after: task })).toEqual(
      [],
    );
  });
});

describe('1.4 every event of tasks', () => {
  it('task_created, changed and removed; credentials of images are for cells', async () => {
    const events: RiveraEvent[] = [
      { type: 'task_created', after: task },
      { type: 'task_changed', before: task, after: task },
      { type: 'task_removed', before: task },
    ];
    const expected = (bytes: Buffer) => [
      ['task_created', hex(field(1, bytes))],
      ['task_changed', hex(field(1, bytes), field(2, bytes))],
      ['task_removed', hex(field(1, bytes))],
    ];
    expect(await told(plainDialect(taskEvent), ...events)).toEqual(expected(TASK));
    // The first revision has time limits in nanoseconds as well.
    expect(await told(plainDialect(taskEventV0), ...events)).toEqual(expected(TASK_V0));
  });

  it('nothing of LRPs', async () => {
    expect(await told(plainDialect(taskEvent), { type: 'actual_lrp_created', after: running })).toEqual([]);
  });
});

describe('1.3 every event of groups', () => {
  it('actual_lrp_created, changed and removed, each in the place of its presence', async () => {
    expect(
      await told(
        new GroupDialect(withoutRun.common),
        { type: 'actual_lrp_created', after: evacuating },
        { type: 'actual_lrp_changed', before: running, after: evacuating },
        { type: 'actual_lrp_removed', before: running },
      ),
    ).toEqual([
      ['actual_lrp_created', hex(field(1, field(2, EVACUATING)))],
      ['actual_lrp_changed', hex(field(1, field(1, RUNNING)), field(2, field(2, EVACUATING)))],
      ['actual_lrp_removed', hex(field(1, field(1, RUNNING)))],
    ]);
  });

  it('an index that is UNCLAIMED again has changed', async () => {
    const again = { ...unclaimed, index: 3, modificationTag: { epoch: 'e2', index: 0 } };
    const types = (
      await told(
        new GroupDialect(withoutRun.common),
        { type: 'actual_lrp_created', after: unclaimed },
        { type: 'actual_lrp_created', after: again },
        { type: 'actual_lrp_removed', before: running },
        { type: 'actual_lrp_created', after: unclaimed },
        { type: 'actual_lrp_removed', before: running },
      )
    ).map(([type]) => type);
    expect(types).toEqual([
      'actual_lrp_created',
      'actual_lrp_changed',
      'actual_lrp_created',
      'actual_lrp_removed',
    ]);
  });
});

describe('1.4 the frame', () => {
  const GOLDEN = 'CiEKBwoCcGcaAWQSABoAMglVTkNMQUlNRURABUoDCgFlaAASAnRy';

  it('is the reference, chunk by chunk, with ids from 0', async () => {
    const dialect: Dialect = {
      tell: (_, emit) => emit({ type: 'actual_lrp_instance_created', data: GOLDEN }),
    };
    const server = createServer((_, response) => {
      const stream = new WireStream(
        response,
        dialect,
        () => true,
        () => {},
      );
      stream.open({ id: '', begin: () => {}, end: () => {} });
      for (let i = 0; i < 11; i++)
        stream.take({ id: '', event: { type: 'actual_lrp_created', after: unclaimed } });
      stream.end();
      stream.take({ id: '', event: { type: 'actual_lrp_created', after: unclaimed } });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const connection = await WireConnection.open((server.address() as AddressInfo).port);
    connection.write('/', { method: 'GET' });
    const { status, headers } = await connection.head();
    expect(status).toBe(200);
    const { date, ...others } = headers;
    expect(Date.parse(date!)).toBeGreaterThan(0);
    expect(others).toEqual({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-store, must-revalidate',
      connection: 'keep-alive',
      'transfer-encoding': 'chunked',
    });
    const body = (id: number) => `id: ${id}\nevent: actual_lrp_instance_created\ndata: ${GOLDEN}\n\n\r\n`;
    const chunks = Array.from({ length: 10 }, (_, id) => `65;\r\n${body(id)}`);
    expect(await connection.rest()).toBe([...chunks, `66;\r\n${body(10)}`, '0\r\n\r\n'].join(''));
    server.close();
  });
});

describe('1.4 and 1.5 streams of a running server', () => {
  let bbs: BbsHarness;
  let client: WireClient;
  beforeAll(async () => {
    bbs = await startBbs({ env: WIRE_ENV });
    client = new WireClient(wirePort(bbs));
    await new FakeCell(bbs, 'cell-1').register();
  });
  afterAll(() => bbs.stop());

  const call = <P extends WirePath>(path: P, request: RequestOf<P>) => wireCall(client, path, request);
  const bodyOf = (cellId: string) => ({ body: wire.EventsByCellId.encode({ cellId }) });
  const typesOf = async (stream: WireFollower, count: number) =>
    (await stream.events(count)).map(({ type }) => type.replace('actual_lrp_', ''));

  async function desire(): Promise<string> {
    const desiredLrp = aWireDesiredLRP();
    await call('/v1/desired_lrp/desire.r2', { desiredLrp });
    return desiredLrp.processGuid!;
  }

  async function run(processGuid: string, cellId: string) {
    const key = {
      actualLrpKey: { processGuid, domain: 'some-domain' },
      actualLrpInstanceKey: { instanceGuid: 'i', cellId },
    };
    await call('/v1/actual_lrps/claim', { processGuid, actualLrpInstanceKey: key.actualLrpInstanceKey });
    await call('/v1/actual_lrps/start.r1', { ...key, actualLrpNetInfo: { address: '10.0.0.1' } });
    return key;
  }

  it('the head comes at once, and nothing of before', async () => {
    await desire();
    const stream = await client.follow('/v1/events/lrp_instances.r1');
    expect(stream.head.status).toBe(200);
    const processGuid = await desire();
    const [desired, actual] = await stream.events(2);
    expect([desired?.id, desired?.type, actual?.id]).toEqual(['0', 'desired_lrp_created', '1']);
    expect(wire.DesiredLRPCreatedEvent.decode(desired!.data).desiredLrp).toMatchObject({ processGuid });
    stream.close();
  });

  it('whole desired LRPs, with the trace id of each request, also when they are gone already', async () => {
    const [slow, quick] = await Promise.all([
      client.follow('/v1/events/lrp_instances.r1'),
      client.follow('/v1/events', { method: 'GET' }),
    ]);
    const desiredLrp = aWireDesiredLRP({ instances: 0, imageUsername: 'u', imagePassword: 'secret' });
    const { processGuid } = desiredLrp;
    const connection = await WireConnection.open(wirePort(bbs));
    const send = async (path: string, body: Buffer, traceId: string) => {
      const headers = { 'x-vcap-request-id': traceId };
      expect((await connection.send(path, { body, headers })).body).toHaveLength(0);
    };
    await send('/v1/desired_lrp/desire.r2', wire.DesireLRPRequest.encode({ desiredLrp }), 'one');
    const update = { imageUsername: 'other', imagePassword: 'other' };
    await send('/v1/desired_lrp/update', wire.UpdateDesiredLRPRequest.encode({ processGuid, update }), 'two');
    await send('/v1/desired_lrp/remove', wire.RemoveDesiredLRPRequest.encode({ processGuid }), 'three');
    connection.close();
    for (const stream of [slow, quick]) {
      const [created, changed, removed] = (await stream.events(3)).map(({ data }) => data);
      const made = wire.DesiredLRPCreatedEvent.decode(created!);
      const { before, after, traceId } = wire.DesiredLRPChangedEvent.decode(changed!);
      const gone = wire.DesiredLRPRemovedEvent.decode(removed!);
      expect([made.traceId, traceId, gone.traceId]).toEqual(['one', 'two', 'three']);
      const records = [made.desiredLrp, before, after, gone.desiredLrp];
      expect(records.map((record) => record?.imageUsername)).toEqual(['u', 'u', 'other', 'other']);
      for (const record of records) {
        expect(record?.action).toMatchObject(desiredLrp.action!);
        expect(record?.imagePassword).toBe('');
      }
      stream.close();
    }
  });

  it('a life in instances, and in groups', async () => {
    const [instances, groups] = await Promise.all([
      client.follow('/v1/events/lrp_instances.r1'),
      client.follow('/v1/events', { method: 'GET' }),
    ]);
    const processGuid = await desire();
    const key = await run(processGuid, 'cell-1');
    await call('/v1/actual_lrps/crash', { ...key, errorMessage: 'it fell' });
    await call('/v1/desired_lrp/remove', { processGuid });
    const begin = ['created', 'changed', 'changed', 'crashed'];
    expect(await typesOf(instances, 9)).toEqual([
      'desired_lrp_created',
      ...begin.map((type) => (type === 'crashed' ? type : `instance_${type}`)),
      'instance_created',
      'instance_removed',
      'desired_lrp_removed',
      'instance_removed',
    ]);
    expect(await typesOf(groups, 8)).toEqual([
      'desired_lrp_created',
      ...begin,
      'changed',
      'desired_lrp_removed',
      'removed',
    ]);
    instances.close();
    groups.close();
  });

  it('of one cell: what it holds, and all of desired LRPs', async () => {
    const streams = await Promise.all([
      client.follow('/v1/events/lrp_instances.r1', bodyOf('cell-9')),
      client.follow('/v1/events.r1', { method: 'GET', ...bodyOf('cell-9') }),
    ]);
    const [ours, theirs] = [await desire(), await desire()];
    await run(theirs, 'cell-1');
    const key = await run(ours, 'cell-9');
    await call('/v1/actual_lrps/crash', { ...key, errorMessage: 'e' });
    await call('/v1/desired_lrp/remove', { processGuid: theirs });
    const [instances, groups] = streams;
    expect(await typesOf(instances, 7)).toEqual([
      'desired_lrp_created',
      'desired_lrp_created',
      'instance_changed',
      'instance_changed',
      'crashed',
      'instance_removed',
      'desired_lrp_removed',
    ]);
    expect(await typesOf(groups, 7)).toEqual([
      'desired_lrp_created',
      'desired_lrp_created',
      'changed',
      'changed',
      'crashed',
      'removed',
      'desired_lrp_removed',
    ]);
    for (const stream of streams) stream.close();
  });

  it('of tasks, in both revisions', async () => {
    const streams = await Promise.all([
      client.follow('/v1/events/tasks.r1', bodyOf('cell-9')),
      client.follow('/v1/events/tasks'),
    ]);
    const { taskGuid, ...request } = aWireTask();
    await call('/v1/tasks/desire.r2', { taskGuid, ...request });
    await call('/v1/tasks/cancel', { taskGuid });
    await call('/v1/tasks/resolving', { taskGuid });
    await call('/v1/tasks/delete', { taskGuid });
    for (const stream of streams) {
      const events = await stream.events(4);
      expect(events.map(({ type }) => type)).toEqual([
        'task_created',
        'task_changed',
        'task_changed',
        'task_removed',
      ]);
      expect(wire.TaskChangedEvent.decode(events[1]!.data).after).toMatchObject({
        taskGuid,
        failureReason: 'task was cancelled',
      });
      stream.close();
    }
  });

  it('a client that does not read loses nothing, and holds up nobody', async () => {
    const slow = await client.follow('/v1/events/lrp_instances.r1');
    slow.connection.socket.pause();
    const processGuid = await desire();
    const annotation = 'x'.repeat(10_000);
    const updates = 600;
    const quick = await client.follow('/v1/events/lrp_instances.r1');
    const heard = quick.events(updates);
    for (let i = 0; i < updates; i++)
      await call('/v1/desired_lrp/update', { processGuid, update: { annotation: `${annotation}${i}` } });
    expect((await heard).at(-1)?.type).toBe('desired_lrp_changed');
    slow.connection.socket.resume();
    const events = await slow.events(updates + 2);
    expect(events.map(({ id }) => Number(id))).toEqual(events.map((_, i) => i));
    const last = wire.DesiredLRPChangedEvent.decode(events.at(-1)!.data);
    expect(last.after?.annotation).toBe(`${annotation}${updates - 1}`);
    slow.close();
    quick.close();
  });

  it('ends cleanly when the server stops', async () => {
    const other = await startBbs({ redis: bbs.redis, env: WIRE_ENV });
    const stream = await new WireClient(wirePort(other)).follow('/v1/events/tasks.r1');
    const rest = stream.connection.rest();
    await other.stop();
    expect(await rest).toBe('0\r\n\r\n');
  });
});
