/** Diego BBS wire reference §6 and §8: what cfdot asks locket and reps for. */
import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import { Client, credentials, status } from '@grpc/grpc-js';
import * as wire from '#rivera/diego-wire';
import { RedisLease, Store } from '#rivera/store';
import { type BbsHarness, startBbs } from '../support/bbs.js';
import { Authority, type Certificate } from '../support/certificates.js';
import { FakeCell } from '../support/fake-cell.js';
import { WireClient, WireConnection } from '../support/wire.js';
import { diegoPorts, WIRE_ENV } from '../support/wire-bbs.js';
import { aWireDesiredLRP, aWireTask, wireCall } from '../support/wire-calls.js';

const ENV = { ...WIRE_ENV, DIEGO_LOCKET_LISTEN: '127.0.0.1:0' };
const METHODS = {
  Lock: [wire.LockRequest, wire.LockResponse],
  Fetch: [wire.FetchRequest, wire.FetchResponse],
  Release: [wire.ReleaseRequest, wire.ReleaseResponse],
  FetchAll: [wire.FetchAllRequest, wire.FetchAllResponse],
} as const;
type Method = keyof typeof METHODS;
type MessageOf<C> = C extends wire.Codec<infer M> ? M : never;
type RequestOf<M extends Method> = MessageOf<(typeof METHODS)[M][0]>;
type ResponseOf<M extends Method> = MessageOf<(typeof METHODS)[M][1]>;

function call<M extends Method>(client: Client, name: M, request: RequestOf<M>): Promise<ResponseOf<M>> {
  const [asked, answered] = METHODS[name] as unknown as [wire.Codec<RequestOf<M>>, wire.Codec<ResponseOf<M>>];
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      `/models.Locket/${name}`,
      (message: RequestOf<M>) => asked.encode(message),
      (bytes) => answered.decode(bytes),
      request,
      (error, response) => (error === null && response !== undefined ? resolve(response) : reject(error!)),
    );
  });
}

let bbs: BbsHarness;
let locket: Client;
let cell: FakeCell;
beforeAll(async () => {
  bbs = await startBbs({ env: { ...ENV, DIEGO_WIRE_URL: 'https://bbs.example.com:8889/' } });
  locket = new Client(`127.0.0.1:${diegoPorts(bbs).locket}`, credentials.createInsecure());
  cell = await new FakeCell(bbs, 'cell-1').register({
    placementTags: ['tag'],
    optionalPlacementTags: ['maybe'],
  });
});
afterAll(async () => {
  locket.close();
  await bbs.stop();
});

const LOCK = wire.TypeCode.LOCK;
const PRESENCE = wire.TypeCode.PRESENCE;
const resource = (change: wire.Resource = {}): wire.Resource => ({
  key: crypto.randomUUID(),
  owner: 'me',
  value: 'v',
  type: 'lock',
  typeCode: LOCK,
  ...change,
});
const refused = (code: status, details: string) => expect.objectContaining({ code, details });

describe('6.1 locks and presences of clients', () => {
  it('lock, renew, collide, release', async () => {
    const mine = resource();
    const yours = { ...mine, owner: 'you' };
    await call(locket, 'Lock', { resource: mine, ttlInSeconds: 15 });
    await call(locket, 'Lock', { resource: mine, ttlInSeconds: 15 });
    const collision = refused(status.ALREADY_EXISTS, 'lock-collision');
    await expect(call(locket, 'Lock', { resource: yours, ttlInSeconds: 15 })).rejects.toEqual(collision);
    await expect(call(locket, 'Release', { resource: yours })).rejects.toEqual(collision);
    expect((await call(locket, 'Fetch', { key: mine.key })).resource).toMatchObject(mine);
    await call(locket, 'Release', { resource: mine });
    await call(locket, 'Release', { resource: mine });
    await expect(call(locket, 'Fetch', { key: mine.key })).rejects.toEqual(
      refused(status.NOT_FOUND, 'resource-not-found'),
    );
    await call(locket, 'Lock', { resource: yours, ttlInSeconds: 15 });
  });

  it('what is not valid', async () => {
    const lock = (change: wire.Resource, ttlInSeconds = 15) =>
      call(locket, 'Lock', { resource: resource(change), ttlInSeconds });
    await expect(lock({}, 0)).rejects.toEqual(refused(status.INVALID_ARGUMENT, 'invalid-ttl'));
    await expect(lock({}, -1)).rejects.toEqual(refused(status.INVALID_ARGUMENT, 'invalid-ttl'));
    await expect(lock({ owner: '' })).rejects.toEqual(refused(status.INVALID_ARGUMENT, 'invalid-owner'));
    await expect(lock({ type: '', typeCode: 0 })).rejects.toEqual(refused(status.NOT_FOUND, 'invalid-type'));
    await expect(call(locket, 'FetchAll', {})).rejects.toEqual(refused(status.NOT_FOUND, 'invalid-type'));
    await expect(lock({ value: 'x'.repeat(4_097) })).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    await lock({ value: 'x'.repeat(4_096) });
  });

  it('a lock ends with its time', async () => {
    const mine = resource();
    await call(locket, 'Lock', { resource: mine, ttlInSeconds: 1 });
    await vi.waitFor(
      () =>
        expect(call(locket, 'Fetch', { key: mine.key })).rejects.toMatchObject({ code: status.NOT_FOUND }),
      { timeout: 10_000, interval: 100 },
    );
  });

  it('lists by type, also by the name that clients of old give it', async () => {
    const [lock, presence] = [resource(), resource({ type: 'presence', typeCode: PRESENCE })];
    await call(locket, 'Lock', { resource: lock, ttlInSeconds: 60 });
    await call(locket, 'Lock', { resource: presence, ttlInSeconds: 60 });
    for (const request of [{ typeCode: LOCK }, { type: 'lock' }]) {
      const keys = (await call(locket, 'FetchAll', request)).resources?.map(({ key }) => key);
      expect(keys).toContain(lock.key);
      expect(keys).not.toContain(presence.key);
    }
    const keys = (await call(locket, 'FetchAll', { typeCode: PRESENCE })).resources?.map(({ key }) => key);
    expect(keys).toContain(presence.key);
  });
});

describe('6.1 calls that are not as they should be', () => {
  const GRPC = 'application/grpc';
  /** A call as bytes. Resolves with the status of HTTP and that of gRPC. */
  async function raw(
    session: ClientHttp2Session,
    { path, message = Buffer.alloc(0), type = GRPC }: { path: string; message?: Buffer; type?: string },
  ): Promise<(number | undefined)[]> {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': type,
      te: 'trailers',
    });
    let grpcStatus: string | undefined;
    let httpStatus: number | undefined;
    stream.on('response', (headers) => {
      httpStatus = headers[':status'];
      grpcStatus = headers['grpc-status'] as string | undefined;
    });
    stream.on('trailers', (trailers) => (grpcStatus = trailers['grpc-status'] as string));
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    stream.on('error', () => undefined);
    stream.resume().end(Buffer.concat([head, message]));
    await once(stream, 'close');
    return [httpStatus, grpcStatus === undefined ? undefined : Number(grpcStatus)];
  }

  it.each(Object.keys(METHODS))(
    '%s: unreadable, empty, oversized, of another type, and then as it should be',
    async (name) => {
      const session = connect(`http://127.0.0.1:${diegoPorts(bbs).locket}`);
      const path = `/models.Locket/${name}`;
      for (const malformed of ['ff', '0a', '0aff', '0b0b0b']) {
        const message = Buffer.from(malformed, 'hex');
        expect(await raw(session, { path, message })).toEqual([200, status.INTERNAL]);
      }
      const [, empty] = await raw(session, { path });
      expect(empty).toBe(
        {
          Lock: status.INVALID_ARGUMENT,
          Fetch: status.NOT_FOUND,
          Release: status.OK,
          FetchAll: status.NOT_FOUND,
        }[name],
      );
      const [, oversized] = await raw(session, { path, message: Buffer.alloc(5 * 1024 * 1024) });
      expect(oversized).toBe(status.RESOURCE_EXHAUSTED);
      expect(await raw(session, { path, type: 'application/json' })).toEqual([415, undefined]);
      expect(await raw(session, { path: `${path}s` })).toEqual([200, status.UNIMPLEMENTED]);
      const message = wire.FetchAllRequest.encode({ typeCode: LOCK });
      expect(await raw(session, { path: '/models.Locket/FetchAll', message })).toEqual([200, status.OK]);
      session.close();
    },
  );
});

describe('6.2 who is active in Rivera shows it by a lock', () => {
  it('and nobody can take it away', async () => {
    const lease = new RedisLease(bbs.app.get(Store).redis, 'auctioneer', 60_000);
    const { token } = (await lease.acquire())!;
    const { resources } = await call(locket, 'FetchAll', { typeCode: LOCK });
    const held = { key: 'auctioneer', owner: `token-${token}`, typeCode: LOCK };
    expect(resources).toContainEqual(expect.objectContaining(held));
    expect((await call(locket, 'Fetch', { key: 'auctioneer' })).resource).toMatchObject(held);
    const taken = resource({ key: 'auctioneer' });
    await expect(call(locket, 'Lock', { resource: taken, ttlInSeconds: 5 })).rejects.toMatchObject({
      code: status.ALREADY_EXISTS,
    });
    await lease.release(token);
  });
});

describe('6.3 cells are presences', () => {
  it('with what a rep would say of itself', async () => {
    const { resources } = await call(locket, 'FetchAll', { typeCode: PRESENCE });
    const presence = resources?.find(({ key }) => key === 'cell-1');
    expect(presence).toMatchObject({ owner: 'epoch-1', type: 'presence' });
    expect(JSON.parse(presence!.value!)).toEqual({
      cell_id: 'cell-1',
      rep_address: '',
      zone: 'z1',
      capacity: { memory_mb: 16_384, disk_mb: 65_536, containers: 250 },
      rootfs_provider_list: [{ name: 'preloaded', properties: ['cflinuxfs4'] }, { name: 'docker' }],
      placement_tags: ['tag'],
      optional_placement_tags: ['maybe'],
      rep_url: 'https://bbs.example.com:8889/cells/cell-1',
      annotations: null,
    });
    const imposter = resource({ key: 'cell-1', type: 'presence', typeCode: PRESENCE });
    await expect(call(locket, 'Lock', { resource: imposter, ttlInSeconds: 5 })).rejects.toMatchObject({
      code: status.ALREADY_EXISTS,
    });
    await expect(call(locket, 'Release', { resource: imposter })).rejects.toMatchObject({
      code: status.ALREADY_EXISTS,
    });
  });
});

describe('8.1 the state of a cell, which cfdot asks its rep for', () => {
  const diego = () => new WireClient(diegoPorts(bbs).wire!);
  const get = async (path: string) => {
    const connection = await WireConnection.open(diegoPorts(bbs).wire!);
    const { status: code, body } = await connection.send(path, { method: 'GET' });
    connection.close();
    return {
      code,
      state: code === 404 ? undefined : (JSON.parse(body.toString()) as Record<string, unknown>),
    };
  };

  it('is answered under the rep_url that cells/list tells', async () => {
    const { cells } = await wireCall(diego(), '/v1/cells/list.r1', {});
    const { pathname } = new URL(`${cells?.[0]?.repUrl}/state`);
    const desiredLrp = aWireDesiredLRP({ instances: 2, placementTags: ['tag'], maxPids: 9 });
    const processGuid = desiredLrp.processGuid!;
    await wireCall(diego(), '/v1/desired_lrp/desire.r2', { desiredLrp });
    await cell.run(processGuid, 0);
    const placed = await cell.place(processGuid, 1);
    const task = aWireTask();
    await wireCall(diego(), '/v1/tasks/desire.r2', task);
    await cell.placeTask(task.taskGuid);
    const lrp = {
      process_guid: processGuid,
      domain: 'some-domain',
      PlacementTags: ['tag'],
      VolumeDrivers: [],
      RootFs: 'preloaded:cflinuxfs4',
      MemoryMB: 64,
      DiskMB: 128,
      MaxPids: 9,
    };
    const { code, state } = await get(pathname);
    expect(code).toBe(200);
    expect(state).toEqual({
      rep_url: 'https://bbs.example.com:8889/cells/cell-1',
      cell_id: 'cell-1',
      cell_index: 0,
      RootFSProviders: {
        preloaded: { type: 'fixed_set', set: { cflinuxfs4: {} } },
        docker: { type: 'arbitrary' },
      },
      AvailableResources: { MemoryMB: 16_384 - 192, DiskMB: 65_536 - 384, Containers: 247 },
      TotalResources: { MemoryMB: 16_384, DiskMB: 65_536, Containers: 250 },
      LRPs: expect.arrayContaining([
        { ...lrp, instance_guid: expect.any(String), index: 0, state: 'RUNNING' },
        { ...lrp, instance_guid: placed.key.instanceGuid, index: 1, state: 'CLAIMED' },
      ]),
      Tasks: [expect.objectContaining({ TaskGuid: task.taskGuid, state: 'Running', failed: false })],
      StartingContainerCount: 1,
      Zone: 'z1',
      Evacuating: false,
      VolumeDrivers: [],
      PlacementTags: ['tag'],
      OptionalPlacementTags: ['maybe'],
      ProxyMemoryAllocationMB: 0,
    });
  });

  it('of a cell that is not there', async () => {
    expect((await get('/cells/missing/state')).code).toBe(404);
    expect((await get('/cells/cell-1/other')).code).toBe(404);
  });
});

describe('6.1 mutual TLS', () => {
  let authority: Authority;
  let server: Certificate;
  let client: Certificate;
  let secured: BbsHarness;
  beforeAll(async () => {
    authority = await Authority.make();
    [server, client] = [await authority.issue('locket'), await authority.issue('client')];
    secured = await startBbs({
      redis: bbs.redis,
      env: {
        ...ENV,
        DIEGO_HEALTH_LISTEN: '127.0.0.1:0',
        DIEGO_CERT_FILE: server.certFile,
        DIEGO_KEY_FILE: server.keyFile,
        DIEGO_CA_FILE: authority.caFile,
      },
    });
  });
  afterAll(async () => {
    await secured.stop();
    await authority.remove();
  });

  it('a client with a certificate, and nobody else', async () => {
    const address = `localhost:${diegoPorts(secured).locket}`;
    const trusted = new Client(address, credentials.createSsl(authority.ca, client.key, client.cert));
    const anonymous = new Client(address, credentials.createSsl(authority.ca));
    expect((await call(trusted, 'FetchAll', { typeCode: PRESENCE })).resources).not.toHaveLength(0);
    await expect(call(anonymous, 'FetchAll', { typeCode: PRESENCE })).rejects.toMatchObject({
      code: status.UNAVAILABLE,
    });
    trusted.close();
    anonymous.close();
  });

  it('health is 200 for whatever is asked', async () => {
    const answer = await fetch(`http://127.0.0.1:${diegoPorts(secured).health}/anything`);
    expect([answer.status, await answer.text()]).toEqual([200, '']);
  });
});
