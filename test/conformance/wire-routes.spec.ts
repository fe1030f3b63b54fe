/** Diego BBS wire reference §1.2 and §1.3: what each call does, and each error it is refused with. */
import * as wire from '#rivera/diego-wire';
import { type BbsHarness, startBbs } from '../support/bbs.js';
import { FakeCell } from '../support/fake-cell.js';
import { WireClient } from '../support/wire.js';
import { WIRE_ENV, wirePort } from '../support/wire-bbs.js';
import {
  aWireDesiredLRP,
  aWireTask,
  type RequestOf,
  wireAnswer,
  wireCall,
  wireErrorType,
  type WirePath,
} from '../support/wire-calls.js';

let bbs: BbsHarness;
let client: WireClient;
beforeAll(async () => {
  bbs = await startBbs({ env: WIRE_ENV });
  client = new WireClient(wirePort(bbs));
  await new FakeCell(bbs, 'cell-1').register();
});
afterAll(() => bbs.stop());

const call = <P extends WirePath>(path: P, request: RequestOf<P>) => wireCall(client, path, request);
const errorType = <P extends WirePath>(path: P, request: RequestOf<P>) =>
  wireErrorType(client, path, request);

const { ErrorType } = wire;
const NET_INFO = { address: '10.0.0.1', ports: [{ containerPort: 8080, hostPort: 61_001 }] };

async function desire(change: wire.DesiredLRP = {}): Promise<string> {
  const desiredLrp = aWireDesiredLRP(change);
  await call('/v1/desired_lrp/desire.r2', { desiredLrp });
  return desiredLrp.processGuid!;
}

/** Key and instance key of an index, of some run on some cell. */
function instance(processGuid: string, { index = 0, instanceGuid = 'i1', cellId = 'cell-1' } = {}) {
  return {
    actualLrpKey: { processGuid, index, domain: 'some-domain' },
    actualLrpInstanceKey: { instanceGuid, cellId },
  };
}

async function run(processGuid: string, which: Parameters<typeof instance>[1] = {}) {
  const { actualLrpKey, actualLrpInstanceKey } = instance(processGuid, which);
  const { index } = actualLrpKey;
  await call('/v1/actual_lrps/claim', { processGuid, index, actualLrpInstanceKey });
  await call('/v1/actual_lrps/start.r1', {
    actualLrpKey,
    actualLrpInstanceKey,
    actualLrpNetInfo: NET_INFO,
    availabilityZone: 'z1',
    routable: true,
  });
  return { actualLrpKey, actualLrpInstanceKey };
}

async function rowsOf(processGuid: string): Promise<wire.ActualLRP[]> {
  return (await call('/v1/actual_lrps/list', { processGuid })).actualLrps ?? [];
}

const statesOf = async (processGuid: string) =>
  (await rowsOf(processGuid))
    .map(({ actualLrpKey, state, presence }) => `${actualLrpKey.index} ${presence} ${state}`)
    .toSorted();

describe('1.2 domains and cells', () => {
  it('upsert for ever and for a while, and list', async () => {
    await call('/v1/domains/upsert', { domain: 'for-ever' });
    await call('/v1/domains/upsert', { domain: 'for-a-while', ttl: 120 });
    const { domains } = await call('/v1/domains/list', {});
    expect(domains?.toSorted()).toEqual(['for-a-while', 'for-ever']);
    expect(await errorType('/v1/domains/upsert', { ttl: 5 })).toBe(ErrorType.InvalidRequest);
  });

  it('cells that are there', async () => {
    const { cells } = await call('/v1/cells/list.r1', {});
    expect(cells).toMatchObject([
      {
        cellId: 'cell-1',
        zone: 'z1',
        capacity: { memoryMb: 16_384, diskMb: 65_536, containers: 250 },
        rootfsProviders: [{ name: 'preloaded', properties: ['cflinuxfs4'] }, { name: 'docker' }],
      },
    ]);
  });
});

describe('1.2 desired LRPs', () => {
  it('desire, get, update, remove', async () => {
    const processGuid = await desire({
      instances: 2,
      routes: { routes: { 'cf-router': Buffer.from('[{"port":8080}]') } },
    });
    expect(await statesOf(processGuid)).toEqual(['0 0 UNCLAIMED', '1 0 UNCLAIMED']);
    const { desiredLrp } = await call('/v1/desired_lrps/get_by_process_guid.r3', { processGuid });
    expect(desiredLrp).toMatchObject({
      ...aWireDesiredLRP({ instances: 2 }),
      processGuid,
      action: { runAction: { path: '/bin/sleep' } },
    });
    expect(Buffer.from(desiredLrp!.routes!.routes!['cf-router']!).toString()).toBe('[{"port":8080}]');
    expect(desiredLrp!.modificationTag).toMatchObject({ index: 0 });

    await call('/v1/desired_lrp/update', {
      processGuid,
      update: { instances: 0, annotation: 'a', routes: {} },
    });
    const updated = (await call('/v1/desired_lrps/get_by_process_guid.r3', { processGuid })).desiredLrp;
    expect(updated).toMatchObject({ instances: 0, annotation: 'a', modificationTag: { index: 1 } });
    expect(updated?.routes?.routes).toEqual({});
    expect(await rowsOf(processGuid)).toEqual([]);

    await call('/v1/desired_lrp/remove', { processGuid });
    expect(await errorType('/v1/desired_lrps/get_by_process_guid.r3', { processGuid })).toBe(
      ErrorType.ResourceNotFound,
    );
  });

  it('what exists already, and what does not exist', async () => {
    const processGuid = await desire();
    const again = await wireAnswer(client, '/v1/desired_lrp/desire.r2', {
      desiredLrp: aWireDesiredLRP({ processGuid }),
    });
    expect(again.error).toMatchObject({ type: 12, message: 'the requested resource already exists' });
    const missing = { processGuid: 'missing' };
    const { error } = await wireAnswer(client, '/v1/desired_lrp/remove', missing);
    expect(error).toMatchObject({ type: 13, message: 'the requested resource could not be found' });
    for (const path of [
      '/v1/desired_lrps/get_by_process_guid.r2',
      '/v1/desired_lrps/get_by_process_guid.r3',
      '/v1/desired_lrp_scheduling_infos/get_by_process_guid',
    ] as const)
      expect(await errorType(path, missing)).toBe(ErrorType.ResourceNotFound);
    expect(await errorType('/v1/desired_lrp/update', { ...missing, update: {} })).toBe(
      ErrorType.ResourceNotFound,
    );
  });

  it.each<[string, wire.DesiredLRP]>([
    ['process_guid', { processGuid: 'a b' }],
    ['domain', { domain: '' }],
    ['rootfs', { rootFs: 'no-scheme' }],
    ['instances', { instances: -1 }],
    ['memory_mb', { memoryMb: -1 }],
    ['max_pids', { maxPids: -1 }],
    ['bytes_per_second', { logRateLimit: { bytesPerSecond: -2 } }],
    ['annotation', { annotation: 'x'.repeat(10_241) }],
    ['metric_tags', { metricTags: {} }],
    ['action', { action: null }],
    ['action', { action: {} }],
    ['path', { action: { runAction: { user: 'vcap' } } }],
    ['timeout_ms', { action: { timeoutAction: { action: { runAction: { path: 'p', user: 'u' } } } } }],
    ['actions', { action: { parallelAction: {} } }],
    // Inside a wrapper this ends the connection of the original.
    ['action', { action: { tryAction: { action: {} } } }],
    ['action', { action: { tryAction: {} } }],
    ['routes', { routes: { routes: { r: Buffer.from('{') } } }],
    ['protocol', { egressRules: [{ protocol: 'x', destinations: ['1.1.1.1'] }] }],
    ['port', { checkDefinition: { checks: [{ tcpCheck: {} }] } }],
    ['layer_type', { imageLayers: [{ url: 'http://x', destinationPath: '/', mediaType: 1 }] }],
    ['image_password', { imageUsername: 'only' }],
    ['mode', { volumeMounts: [{ driver: 'd', mode: 'w', shared: { volumeId: 'v' } }] }],
  ])('an invalid request names the field: %s', async (field, change) => {
    const { error } = await wireAnswer(client, '/v1/desired_lrp/desire.r2', {
      desiredLrp: aWireDesiredLRP(change),
    });
    expect(error?.type).toBe(ErrorType.InvalidRequest);
    expect(error?.message?.split(', ')).toContain(`Invalid field: ${field}`);
  });

  it('an update without anything to update, and an invalid one', async () => {
    const processGuid = await desire();
    expect(await errorType('/v1/desired_lrp/update', { processGuid })).toBe(ErrorType.InvalidRequest);
    expect(await errorType('/v1/desired_lrp/update', { processGuid, update: { instances: -1 } })).toBe(
      ErrorType.InvalidRequest,
    );
    expect(await errorType('/v1/desired_lrp/update', { processGuid, update: { imageUsername: 'u' } })).toBe(
      ErrorType.InvalidRequest,
    );
    await call('/v1/desired_lrp/update', { processGuid, update: {} });
    const { desiredLrp } = await call('/v1/desired_lrps/get_by_process_guid.r3', { processGuid });
    expect(desiredLrp?.modificationTag?.index).toBe(1);
  });

  it('lists by domain, guid and beginning of the guid', async () => {
    const domain = `d-${crypto.randomUUID()}`;
    const [one, two] = [
      await desire({ domain, processGuid: `${domain}-1` }),
      await desire({ domain, processGuid: `${domain}-2` }),
    ];
    const guids = async (request: wire.DesiredLRPsRequest) =>
      ((await call('/v1/desired_lrps/list.r3', request)).desiredLrps ?? [])
        .map(({ processGuid = '' }) => processGuid)
        .toSorted();
    expect(await guids({ domain })).toEqual([one, two]);
    expect(await guids({ processGuids: [two, 'missing', two] })).toEqual([two]);
    expect(await guids({ appGuids: [domain] })).toEqual([one, two]);
    expect(await guids({ domain: 'other', appGuids: [domain] })).toEqual([]);
    expect(await guids({})).toEqual(expect.arrayContaining([one, two]));

    const infos = await call('/v1/desired_lrp_scheduling_infos/list', { domain, appGuids: ['ignored'] });
    expect(infos.desiredLrpSchedulingInfos).toHaveLength(2);
    const routing = await call('/v1/desired_lrp_routing_infos/list', {
      domain: 'ignored',
      processGuids: [one],
    });
    expect(routing.desiredLrps).toMatchObject([
      { processGuid: one, domain, instances: 1, metricTags: { source_id: { static: 'some-app' } } },
    ]);
    expect(routing.desiredLrps?.[0]?.action).toBeNull();
  });

  it('a scheduling info', async () => {
    const processGuid = await desire({
      logGuid: 'log',
      annotation: 'note',
      maxPids: 7,
      placementTags: ['tag'],
      volumeMounts: [{ driver: 'nfs', mode: 'r', containerDir: '/data', shared: { volumeId: 'v' } }],
      routes: { routes: { r: Buffer.from('1') } },
    });
    const { desiredLrpSchedulingInfo: info } = await call(
      '/v1/desired_lrp_scheduling_infos/get_by_process_guid',
      { processGuid },
    );
    expect(info).toMatchObject({
      desiredLrpKey: { processGuid, domain: 'some-domain', logGuid: 'log' },
      annotation: 'note',
      instances: 1,
      desiredLrpResource: { memoryMb: 64, diskMb: 128, rootFs: 'preloaded:cflinuxfs4', maxPids: 7 },
      routes: { routes: { r: Buffer.from('1') } },
      modificationTag: { epoch: expect.stringMatching(/.{30}/) },
      volumePlacement: { driverNames: ['nfs'] },
      placementTags: ['tag'],
    });
  });

  it('metrics_guid and the tag source_id stand in for each other', async () => {
    const byTag = await desire({ metricTags: { source_id: { static: 'me' } } });
    const byGuid = await desire({ metricsGuid: 'me', metricTags: { other: { dynamic: 1 } } });
    for (const processGuid of [byTag, byGuid]) {
      const { desiredLrp } = await call('/v1/desired_lrps/get_by_process_guid.r3', { processGuid });
      expect(desiredLrp).toMatchObject({ metricsGuid: 'me', metricTags: { source_id: { static: 'me' } } });
    }
  });

  it('limits of a process that limit nothing', async () => {
    const processGuid = await desire();
    const { items } = await bbs.client().listDesiredLRPs({ processGuid });
    expect(items).toMatchObject([{ action: { run: { resourceLimits: {} } } }]);
    expect(JSON.stringify(items)).not.toContain('nofile');
  });

  it('times of old clients', async () => {
    const processGuid = await desire({
      deprecatedStartTimeoutS: 30,
      action: {
        timeoutAction: {
          deprecatedTimeoutNs: 1_500_000_000,
          action: { runAction: { path: 'p', user: 'u' } },
        },
      },
    });
    const { desiredLrp } = await call('/v1/desired_lrps/get_by_process_guid.r3', { processGuid });
    expect(wire.toNumber(desiredLrp!.startTimeoutMs)).toBe(30_000);
    expect(wire.toNumber(desiredLrp!.action!.timeoutAction!.timeoutMs)).toBe(1_500);
  });

  it('1.3 r2: shared layers as cached dependencies, exclusive ones as downloads', async () => {
    const setup = { runAction: { path: 'prepare', user: 'vcap' } };
    const processGuid = await desire({
      legacyDownloadUser: 'vcap',
      setup,
      cachedDependencies: [{ from: 'http://x/own', to: '/own' }],
      imageLayers: [
        {
          name: 's',
          url: 'http://x/shared',
          destinationPath: '/shared',
          layerType: 1,
          mediaType: 1,
          digestAlgorithm: 1,
          digestValue: 'abc',
        },
        { url: 'http://x/plain', destinationPath: '/plain', layerType: 1, mediaType: 1 },
        {
          url: 'http://x/exclusive',
          destinationPath: '/exclusive',
          layerType: 2,
          mediaType: 1,
          digestAlgorithm: 1,
          digestValue: 'def',
        },
      ],
    });
    const { desiredLrp: r3 } = await call('/v1/desired_lrps/get_by_process_guid.r3', { processGuid });
    expect(r3?.imageLayers).toHaveLength(3);
    const [listed] =
      (await call('/v1/desired_lrps/list.r2', { processGuids: [processGuid] })).desiredLrps ?? [];
    const { desiredLrp: r2 } = await call('/v1/desired_lrps/get_by_process_guid.r2', { processGuid });
    expect(listed).toEqual(r2);
    expect(r2).toMatchObject({
      imageLayers: [],
      cachedDependencies: [
        {
          name: 's',
          from: 'http://x/shared',
          to: '/shared',
          cacheKey: 'sha256:abc',
          checksumAlgorithm: 'sha256',
          checksumValue: 'abc',
        },
        { from: 'http://x/plain', to: '/plain', cacheKey: 'http://x/plain' },
        { from: 'http://x/own', to: '/own' },
      ],
      setup: {
        serialAction: {
          actions: [
            {
              parallelAction: {
                actions: [
                  {
                    downloadAction: {
                      from: 'http://x/exclusive',
                      to: '/exclusive',
                      user: 'vcap',
                      cacheKey: 'sha256:def',
                    },
                  },
                ],
              },
            },
            setup,
          ],
        },
      },
    });
  });
});

describe('1.2 actual LRPs', () => {
  it('claim, start, crash: what the record says', async () => {
    const processGuid = await desire({
      routes: { routes: { 'internal-router': Buffer.from('[{"hostname":"a.internal"}]') } },
      metricTags: { i: { dynamic: 1 }, source_id: { static: 's' } },
    });
    const [unclaimed] = await rowsOf(processGuid);
    expect(unclaimed).toMatchObject({
      state: 'UNCLAIMED',
      routable: false,
      actualLrpInstanceKey: { instanceGuid: '', cellId: '' },
    });
    const { actualLrpKey, actualLrpInstanceKey } = await run(processGuid);
    const [running] = await rowsOf(processGuid);
    expect(running).toMatchObject({
      actualLrpKey,
      actualLrpInstanceKey,
      actualLrpNetInfo: NET_INFO,
      state: 'RUNNING',
      routable: true,
      availabilityZone: 'z1',
      actualLrpInternalRoutes: [{ hostname: 'a.internal' }],
      metricTags: { i: '0', source_id: 's' },
      modificationTag: { index: 2 },
    });
    await call('/v1/actual_lrps/crash', { actualLrpKey, actualLrpInstanceKey, errorMessage: 'it fell' });
    const [crashed] = await rowsOf(processGuid);
    expect(crashed).toMatchObject({
      state: 'UNCLAIMED',
      crashCount: 1,
      crashReason: 'it fell',
      actualLrpInstanceKey: { cellId: '' },
    });
  });

  it('start of a cell of old is routable, and a heart-beat changes nothing', async () => {
    const processGuid = await desire();
    const key = instance(processGuid);
    const started = { ...key, actualLrpNetInfo: NET_INFO };
    await call('/v1/actual_lrps/start', started);
    const before = await rowsOf(processGuid);
    expect(before).toMatchObject([{ state: 'RUNNING', routable: true }]);
    await call('/v1/actual_lrps/start.r1', started);
    expect(await rowsOf(processGuid)).toEqual(before);
    await call('/v1/actual_lrps/start.r1', { ...started, routable: false });
    expect(await rowsOf(processGuid)).toMatchObject([{ state: 'RUNNING', routable: false }]);
  });

  it('what an instance that another holds is refused with', async () => {
    const processGuid = await desire();
    await run(processGuid);
    const other = instance(processGuid, { instanceGuid: 'i2', cellId: 'cell-2' });
    const { actualLrpInstanceKey } = other;
    expect(await errorType('/v1/actual_lrps/claim', { processGuid, actualLrpInstanceKey })).toBe(
      ErrorType.ActualLRPCannotBeClaimed,
    );
    expect(await errorType('/v1/actual_lrps/start.r1', { ...other, actualLrpNetInfo: NET_INFO })).toBe(
      ErrorType.ActualLRPCannotBeStarted,
    );
    expect(await errorType('/v1/actual_lrps/crash', other)).toBe(ErrorType.ActualLRPCannotBeCrashed);
    expect(await errorType('/v1/actual_lrps/remove', { processGuid, actualLrpInstanceKey })).toBe(
      ErrorType.ResourceNotFound,
    );
    const { error } = await wireAnswer(client, '/v1/actual_lrps/fail', {
      actualLrpKey: other.actualLrpKey,
      errorMessage: 'e',
    });
    expect(error).toMatchObject({
      type: ErrorType.ActualLRPCannotBeFailed,
      message: 'cannot fail actual LRP',
    });
  });

  it('what an instance that does not exist is refused with', async () => {
    const missing = instance('missing');
    const { actualLrpInstanceKey, actualLrpKey } = missing;
    const slot = { processGuid: 'missing', actualLrpInstanceKey };
    expect(await errorType('/v1/actual_lrps/claim', slot)).toBe(ErrorType.ResourceNotFound);
    expect(await errorType('/v1/actual_lrps/start.r1', { ...missing, actualLrpNetInfo: NET_INFO })).toBe(
      ErrorType.ActualLRPCannotBeStarted,
    );
    expect(await errorType('/v1/actual_lrps/crash', missing)).toBe(ErrorType.ResourceNotFound);
    expect(await errorType('/v1/actual_lrps/remove', slot)).toBe(ErrorType.ResourceNotFound);
    expect(await errorType('/v1/actual_lrps/remove', { processGuid: 'missing' })).toBe(
      ErrorType.ResourceNotFound,
    );
    expect(await errorType('/v1/actual_lrps/retire', { actualLrpKey })).toBe(ErrorType.ResourceNotFound);
    expect(await errorType('/v1/actual_lrps/fail', { actualLrpKey, errorMessage: 'e' })).toBe('ok');
  });

  it('fail tells why an instance is not placed', async () => {
    const processGuid = await desire();
    const { actualLrpKey } = instance(processGuid);
    expect(await errorType('/v1/actual_lrps/fail', { actualLrpKey })).toBe(ErrorType.InvalidRequest);
    await call('/v1/actual_lrps/fail', { actualLrpKey, errorMessage: 'insufficient resources' });
    expect(await rowsOf(processGuid)).toMatchObject([
      { state: 'UNCLAIMED', placementError: 'insufficient resources' },
    ]);
  });

  it('remove with and without an instance key: a wanted index begins anew', async () => {
    const processGuid = await desire();
    const { actualLrpInstanceKey } = await run(processGuid);
    await call('/v1/actual_lrps/remove', { processGuid, actualLrpInstanceKey });
    expect(await statesOf(processGuid)).toEqual(['0 0 UNCLAIMED']);
    await run(processGuid, { instanceGuid: 'i2' });
    await call('/v1/actual_lrps/remove', { processGuid });
    expect(await statesOf(processGuid)).toEqual(['0 0 UNCLAIMED']);
  });

  it('retire asks the cell that is there, and replaces at once on one that is not', async () => {
    const processGuid = await desire({ instances: 2 });
    await run(processGuid);
    await run(processGuid, { index: 1, cellId: 'gone' });
    await call('/v1/actual_lrps/retire', { actualLrpKey: { processGuid, index: 0, domain: 'some-domain' } });
    await call('/v1/actual_lrps/retire', { actualLrpKey: { processGuid, index: 1, domain: 'some-domain' } });
    expect(await statesOf(processGuid)).toEqual(['0 0 RUNNING', '1 0 UNCLAIMED']);
  });

  it('lists by every filter, also index 0', async () => {
    const domain = `d-${crypto.randomUUID()}`;
    const cellId = `cell-${crypto.randomUUID()}`;
    const processGuid = await desire({ domain, instances: 3 });
    await run(processGuid, { index: 1, cellId });
    const indexes = async (request: wire.ActualLRPsRequest) =>
      ((await call('/v1/actual_lrps/list', request)).actualLrps ?? [])
        .map(({ actualLrpKey }) => actualLrpKey.index ?? 0)
        .toSorted((a, b) => a - b);
    expect(await indexes({ domain })).toEqual([0, 1, 2]);
    expect(await indexes({ cellId })).toEqual([1]);
    expect(await indexes({ processGuid, index: 0 })).toEqual([0]);
    expect(await indexes({ processGuid, cellId, domain: 'other' })).toEqual([]);
    expect((await indexes({})).length).toBeGreaterThan(3);
    const byGuids = await call('/v1/actual_lrps/list_by_process_guids', {
      processGuids: [processGuid, 'missing', processGuid],
    });
    expect(byGuids.actualLrps).toHaveLength(3);
  });
});

describe('1.2 whole lists', () => {
  it('say what is true now, however often they were asked for', async () => {
    const processGuid = await desire();
    const state = async () => {
      const { actualLrps } = await call('/v1/actual_lrps/list', {});
      const { desiredLrpSchedulingInfos } = await call('/v1/desired_lrp_scheduling_infos/list', {});
      const { desiredLrps } = await call('/v1/desired_lrp_routing_infos/list', {});
      return [
        actualLrps?.find(({ actualLrpKey }) => actualLrpKey.processGuid === processGuid)?.state,
        desiredLrpSchedulingInfos?.find(({ desiredLrpKey }) => desiredLrpKey.processGuid === processGuid)
          ?.annotation,
        desiredLrps?.find((desired) => desired.processGuid === processGuid)?.modificationTag?.index,
      ];
    };
    expect(await state()).toEqual(['UNCLAIMED', '', 0]);
    expect(await state()).toEqual(['UNCLAIMED', '', 0]);
    await run(processGuid);
    await call('/v1/desired_lrp/update', { processGuid, update: { annotation: 'new' } });
    expect(await state()).toEqual(['RUNNING', 'new', 1]);
    await call('/v1/desired_lrp/remove', { processGuid });
    expect(await state()).toEqual(['RUNNING', undefined, undefined]);
  });
});

describe('1.2 evacuation', () => {
  const evacuated = async <P extends WirePath>(path: P, request: RequestOf<P>) => {
    const { error, keepContainer } = (await wireAnswer(client, path, request)) as wire.EvacuationResponse;
    return [error ? error.type : 'ok', keepContainer];
  };

  it('running: keeps the container until its replacement runs', async () => {
    const processGuid = await desire();
    const key = await run(processGuid);
    const request = { ...key, actualLrpNetInfo: NET_INFO, routable: true, availabilityZone: 'z1' };
    expect(await evacuated('/v1/actual_lrps/evacuate_running.r1', request)).toEqual(['ok', true]);
    expect(await statesOf(processGuid)).toEqual(['0 0 UNCLAIMED', '0 1 RUNNING']);
    expect(await evacuated('/v1/actual_lrps/evacuate_running', request)).toEqual(['ok', true]);

    const { actualLrpGroup } = await call('/v1/actual_lrp_groups/get_by_process_guid_and_index', {
      processGuid,
    });
    expect(actualLrpGroup).toMatchObject({
      instance: { state: 'UNCLAIMED' },
      evacuating: { state: 'RUNNING', presence: 1 },
    });

    await run(processGuid, { instanceGuid: 'i2', cellId: 'cell-2' });
    expect(await statesOf(processGuid)).toEqual(['0 0 RUNNING']);
    expect(await evacuated('/v1/actual_lrps/evacuate_running.r1', request)).toEqual(['ok', false]);
  });

  it('claimed, crashed and stopped', async () => {
    const processGuid = await desire({ instances: 3 });
    const keys = await Promise.all(
      [0, 1, 2].map((index) => run(processGuid, { index, instanceGuid: `i${index}` })),
    );
    expect(await evacuated('/v1/actual_lrps/evacuate_claimed', keys[0]!)).toEqual(['ok', false]);
    expect(await evacuated('/v1/actual_lrps/evacuate_crashed', { ...keys[1]!, errorMessage: 'e' })).toEqual([
      'ok',
      false,
    ]);
    expect(await evacuated('/v1/actual_lrps/evacuate_stopped', keys[2]!)).toEqual(['ok', false]);
    expect(await statesOf(processGuid)).toEqual(['0 0 UNCLAIMED', '1 0 UNCLAIMED', '2 0 UNCLAIMED']);
  });

  it('what is not there', async () => {
    const missing = instance('missing');
    expect(await evacuated('/v1/actual_lrps/evacuate_claimed', missing)).toEqual([13, false]);
    expect(await evacuated('/v1/actual_lrps/evacuate_crashed', { ...missing, errorMessage: 'e' })).toEqual([
      13,
      false,
    ]);
    expect(await evacuated('/v1/actual_lrps/evacuate_stopped', missing)).toEqual([13, false]);
    expect(
      await evacuated('/v1/actual_lrps/evacuate_running.r1', { ...missing, actualLrpNetInfo: NET_INFO }),
    ).toEqual(['ok', false]);
    expect(await errorType('/v1/actual_lrps/remove_evacuating', missing)).toBe(ErrorType.ResourceNotFound);
  });

  it('remove_evacuating', async () => {
    const processGuid = await desire();
    const key = await run(processGuid);
    await call('/v1/actual_lrps/evacuate_running.r1', { ...key, actualLrpNetInfo: NET_INFO });
    const other = instance(processGuid, { instanceGuid: 'other' });
    expect(await errorType('/v1/actual_lrps/remove_evacuating', other)).toBe(
      ErrorType.ActualLRPCannotBeRemoved,
    );
    await call('/v1/actual_lrps/remove_evacuating', key);
    expect(await statesOf(processGuid)).toEqual(['0 0 UNCLAIMED']);
  });

  it('requests that are not valid', async () => {
    const { actualLrpKey } = instance('some');
    expect(await evacuated('/v1/actual_lrps/evacuate_claimed', { actualLrpKey })).toEqual([4, true]);
    expect(await evacuated('/v1/actual_lrps/evacuate_running.r1', { actualLrpKey })).toEqual([4, true]);
    expect(await evacuated('/v1/actual_lrps/evacuate_crashed', instance('some'))).toEqual([4, false]);
    expect(await evacuated('/v1/actual_lrps/evacuate_stopped', { actualLrpKey })).toEqual([4, false]);
  });
});

describe('1.3 instances in groups', () => {
  it('by guid, by cell, by index', async () => {
    const cellId = `cell-${crypto.randomUUID()}`;
    const processGuid = await desire({ instances: 2 });
    await run(processGuid, { index: 1, cellId });
    const ofGuid = await call('/v1/actual_lrp_groups/list_by_process_guid', { processGuid });
    expect(ofGuid.actualLrpGroups?.map(({ instance: i, evacuating }) => [i?.state, evacuating])).toEqual([
      ['UNCLAIMED', null],
      ['RUNNING', null],
    ]);
    const ofCell = await call('/v1/actual_lrp_groups/list', { cellId });
    expect(ofCell.actualLrpGroups).toMatchObject([{ instance: { actualLrpKey: { processGuid, index: 1 } } }]);
    const one = await call('/v1/actual_lrp_groups/get_by_process_guid_and_index', { processGuid, index: 1 });
    expect(one.actualLrpGroup).toMatchObject({ instance: { state: 'RUNNING' } });
    const { error } = await wireAnswer(client, '/v1/actual_lrp_groups/get_by_process_guid_and_index', {
      processGuid,
      index: 2,
    });
    expect(error?.type).toBe(ErrorType.ResourceNotFound);
  });
});

describe('1.2 tasks', () => {
  const desireTask = async (change: wire.DesireTaskRequest = {}) => {
    const request = aWireTask(change);
    await call('/v1/tasks/desire.r2', request);
    return request.taskGuid;
  };
  const get = async (taskGuid: string) => (await call('/v1/tasks/get_by_task_guid.r3', { taskGuid })).task;
  const { TaskState } = wire;

  it('desire, start, complete, resolving, delete', async () => {
    const taskGuid = await desireTask();
    expect(await get(taskGuid)).toMatchObject({
      taskGuid,
      state: TaskState.Pending,
      domain: 'some-domain',
      firstCompletedAt: expect.objectContaining({ low: 0 }),
    });
    const start = { taskGuid, cellId: 'cell-1' };
    expect(await call('/v1/tasks/start', start)).toMatchObject({ shouldStart: true });
    expect(await call('/v1/tasks/start', start)).toMatchObject({ shouldStart: false });
    expect(await get(taskGuid)).toMatchObject({ state: TaskState.Running, cellId: 'cell-1' });
    await call('/v1/tasks/complete', { ...start, result: 'forty-two' });
    expect(await get(taskGuid)).toMatchObject({
      state: TaskState.Completed,
      cellId: '',
      failed: false,
      result: 'forty-two',
    });
    await call('/v1/tasks/resolving', { taskGuid });
    expect(await get(taskGuid)).toMatchObject({ state: TaskState.Resolving });
    await call('/v1/tasks/delete', { taskGuid });
    expect(await errorType('/v1/tasks/get_by_task_guid.r3', { taskGuid })).toBe(ErrorType.ResourceNotFound);
  });

  it('times in nanoseconds', async () => {
    const before = Date.now();
    const { createdAt, updatedAt } = (await get(await desireTask()))!;
    for (const time of [createdAt, updatedAt]) {
      const { low, high } = time as { low: number; high: number };
      const ms = Number((BigInt(high) << 32n) | BigInt(low >>> 0)) / 1e6;
      expect(ms).toBeGreaterThanOrEqual(before);
      expect(ms).toBeLessThanOrEqual(Date.now());
    }
  });

  it('exists already, is not there, is not valid', async () => {
    const taskGuid = await desireTask();
    expect(await errorType('/v1/tasks/desire.r2', aWireTask({ taskGuid }))).toBe(ErrorType.ResourceExists);
    const missing = { taskGuid: 'missing' };
    for (const path of [
      '/v1/tasks/cancel',
      '/v1/tasks/resolving',
      '/v1/tasks/delete',
      '/v1/tasks/get_by_task_guid.r2',
      '/v1/tasks/fail',
    ] as const)
      expect([path, await errorType(path, missing)]).toEqual([path, ErrorType.ResourceNotFound]);
    expect(await errorType('/v1/tasks/start', { ...missing, cellId: 'c' })).toBe(ErrorType.ResourceNotFound);
    expect(await errorType('/v1/tasks/complete', { ...missing, cellId: 'c' })).toBe(
      ErrorType.ResourceNotFound,
    );
    expect(await errorType('/v1/tasks/reject', { ...missing, rejectionReason: 'r' })).toBe(
      ErrorType.ResourceNotFound,
    );
    expect(await errorType('/v1/tasks/reject', { taskGuid })).toBe(ErrorType.InvalidRequest);
    expect(await errorType('/v1/tasks/start', { taskGuid })).toBe(ErrorType.InvalidRequest);
    const { error } = await wireAnswer(
      client,
      '/v1/tasks/desire.r2',
      aWireTask({ domain: '', taskGuid: '/' }),
    );
    expect(error?.message).toBe('Invalid field: task_guid, Invalid field: domain');
    expect(await errorType('/v1/tasks/desire.r2', { taskGuid, domain: 'd' })).toBe(ErrorType.InvalidRequest);
  });

  it('what its state does not allow', async () => {
    const taskGuid = await desireTask();
    const here = { taskGuid, cellId: 'cell-1' };
    const there = { taskGuid, cellId: 'cell-2' };
    expect(await errorType('/v1/tasks/complete', here)).toBe(ErrorType.InvalidStateTransition);
    expect(await errorType('/v1/tasks/resolving', { taskGuid })).toBe(ErrorType.InvalidStateTransition);
    expect(await errorType('/v1/tasks/delete', { taskGuid })).toBe(ErrorType.InvalidStateTransition);
    await call('/v1/tasks/start', here);
    expect(await errorType('/v1/tasks/start', there)).toBe(ErrorType.InvalidStateTransition);
    expect(await errorType('/v1/tasks/complete', there)).toBe(ErrorType.RunningOnDifferentCell);
    await call('/v1/tasks/cancel', { taskGuid });
    expect(await get(taskGuid)).toMatchObject({
      state: TaskState.Completed,
      failed: true,
      failureReason: 'task was cancelled',
    });
    expect(await errorType('/v1/tasks/cancel', { taskGuid })).toBe(ErrorType.InvalidStateTransition);
    expect(await errorType('/v1/tasks/fail', { taskGuid })).toBe(ErrorType.InvalidStateTransition);
    expect(await errorType('/v1/tasks/reject', { taskGuid, rejectionReason: 'r' })).toBe(
      ErrorType.InvalidRequest,
    );
    expect(await errorType('/v1/tasks/complete', here)).toBe(ErrorType.InvalidStateTransition);
    // Whoever handles a result says so first, so that nobody else does.
    const early = await wireAnswer(client, '/v1/tasks/delete', { taskGuid });
    expect(early.error).toMatchObject({
      type: ErrorType.InvalidStateTransition,
      message: expect.stringMatching(/^Cannot transition from COMPLETED to RESOLVING/),
    });
    await call('/v1/tasks/resolving', { taskGuid });
    expect(await errorType('/v1/tasks/resolving', { taskGuid })).toBe(ErrorType.InvalidStateTransition);
    await call('/v1/tasks/delete', { taskGuid });
  });

  it('reject: again, and failed with the fourth; fail: at once', async () => {
    const taskGuid = await desireTask();
    for (let i = 1; i <= 3; i++) {
      await call('/v1/tasks/reject', { taskGuid, rejectionReason: `no ${i}` });
      expect(await get(taskGuid)).toMatchObject({
        state: TaskState.Pending,
        rejectionCount: i,
        rejectionReason: `no ${i}`,
      });
    }
    await call('/v1/tasks/reject', { taskGuid, rejectionReason: 'no 4' });
    expect(await get(taskGuid)).toMatchObject({
      state: TaskState.Completed,
      failed: true,
      failureReason: 'no 4',
    });
    const failed = await desireTask();
    await call('/v1/tasks/fail', { taskGuid: failed, failureReason: 'enough' });
    expect(await get(failed)).toMatchObject({
      state: TaskState.Completed,
      failed: true,
      failureReason: 'enough',
    });
  });

  it('lists by domain and cell', async () => {
    const domain = `d-${crypto.randomUUID()}`;
    const cellId = `cell-${crypto.randomUUID()}`;
    const [pending, running] = [await desireTask({ domain }), await desireTask({ domain })];
    await call('/v1/tasks/start', { taskGuid: running, cellId });
    const guids = async (request: wire.TasksRequest) =>
      ((await call('/v1/tasks/list.r3', request)).tasks ?? [])
        .map(({ taskGuid = '' }) => taskGuid)
        .toSorted();
    expect(await guids({ domain })).toEqual([pending, running].toSorted());
    expect(await guids({ cellId })).toEqual([running]);
    expect(await guids({ domain: 'other', cellId })).toEqual([]);
    expect(await guids({})).toEqual(expect.arrayContaining([pending, running]));
  });

  it('1.3 r2: exclusive layers in front of the action', async () => {
    const action = { runAction: { path: 'p', user: 'u' } };
    const imageLayers = [
      {
        url: 'http://x/e',
        destinationPath: '/e',
        layerType: wire.ImageLayerType.EXCLUSIVE,
        mediaType: wire.ImageLayerMediaType.ZIP,
        digestAlgorithm: wire.ImageLayerDigestAlgorithm.SHA512,
        digestValue: 'd',
      },
    ];
    const taskDefinition = { ...aWireTask().taskDefinition, action, imageLayers, legacyDownloadUser: 'u' };
    const taskGuid = await desireTask({ taskDefinition });
    const { task } = await call('/v1/tasks/get_by_task_guid.r2', { taskGuid });
    expect(task?.taskDefinition).toMatchObject({
      imageLayers: [],
      action: {
        serialAction: {
          actions: [
            { parallelAction: { actions: [{ downloadAction: { to: '/e', cacheKey: 'sha512:d' } }] } },
            action,
          ],
        },
      },
    });
    const listed = (await call('/v1/tasks/list.r2', {})).tasks?.find((each) => each.taskGuid === taskGuid);
    expect(listed).toEqual(task);
  });
});
