/** Diego BBS reference §4.1: every rule of what clients may ask for, as it is answered over HTTP. */
import { type BbsHarness, startBbs } from '../support/bbs.js';
import { aDesiredLRP, aRunAction, aTaskDefinition } from '../support/builders.js';

type Fields = Record<string, unknown>;

let bbs: BbsHarness;
beforeAll(async () => {
  bbs = await startBbs();
});
afterAll(() => bbs.stop());

interface Complaint {
  field: string;
  rule: string;
}

/** The complaints about a request, as `field rule`. It must be refused as a whole, with everything that is wrong. */
async function complaintsAbout(
  method: 'post' | 'patch' | 'put',
  path: string,
  body: unknown,
): Promise<string[]> {
  const response = await bbs
    .as()
    [method](path)
    .send(body as object)
    .expect(400);
  expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
  const { code, status, fields } = response.body as { code: string; status: number; fields: Complaint[] };
  expect({ code, status }).toEqual({ code: 'invalid-request', status: 400 });
  return fields.map(({ field, rule }) => `${field} ${rule}`).toSorted();
}

const inner = aRunAction();
const action = (fields: Fields): Fields => ({ action: fields });
const egress = (fields: Fields): Fields => ({
  egressRules: [{ protocol: 'tcp', destinations: ['10.0.0.1'], ports: [80], ...fields }],
});
const icmp = (fields: Fields): Fields => egress({ protocol: 'icmp', ports: undefined, ...fields });
const dependency = (fields: Fields): Fields => ({
  cachedDependencies: [{ from: 'http://example.com/a', to: '/a', ...fields }],
});
const layer = (fields: Fields): Fields => ({
  imageLayers: [
    { url: 'http://example.com/a', destinationPath: '/a', layerType: 'SHARED', mediaType: 'TGZ', ...fields },
  ],
});
const volume = (fields: Fields): Fields => ({
  volumeMounts: [{ driver: 'nfs', mode: 'rw', shared: { volumeId: 'v' }, ...fields }],
});
const check = (fields: Fields): Fields => ({ checkDefinition: { checks: [fields] } });
const readiness = (fields: Fields): Fields => ({ checkDefinition: { readinessChecks: [fields] } });
const env = (name: string): Fields => ({ environmentVariables: [{ name, value: '' }] });
const files = (bytes: number): Fields => ({
  volumeMountedFiles: [
    { path: 'a', content: 'x'.repeat(bytes / 2) },
    { path: 'b', content: 'x'.repeat(bytes / 2) },
  ],
});

/** What long-running processes and tasks have in common. */
const COMMON: [string, Fields, ...string[]][] = [
  ['rootfs is not empty', { rootfs: '' }, 'rootfs isRootfs'],
  ['rootfs has a scheme', { rootfs: 'cflinuxfs4' }, 'rootfs isRootfs'],
  ['rootfs of at most 1,024 bytes', { rootfs: `docker:///${'x'.repeat(1_020)}` }, 'rootfs isRootfs'],
  ['memoryMb >= 0', { memoryMb: -1 }, 'memoryMb isInteger'],
  ['diskMb >= 0', { diskMb: -1 }, 'diskMb isInteger'],
  ['maxPids >= 0', { maxPids: -1 }, 'maxPids isInteger'],
  ['numbers of 32 bits', { memoryMb: 2 ** 31 }, 'memoryMb isInteger'],
  ['log rate >= -1', { logRateLimit: { bytesPerSecond: -2 } }, 'logRateLimit.bytesPerSecond isInteger'],
  ['annotation of at most 10,240 bytes', { annotation: 'x'.repeat(10_241) }, 'annotation isText'],
  ['logGuid of at most 255 bytes', { logGuid: 'x'.repeat(256) }, 'logGuid isText'],
  ['a metric tag is one of static and dynamic', { metricTags: { a: {} } }, 'metricTags["a"] isMetricTags'],
  [
    'a metric tag is not both',
    { metricTags: { a: { static: 'x', dynamic: 'INDEX' } } },
    'metricTags["a"] isMetricTags',
  ],
  ['a static tag is not empty', { metricTags: { a: { static: '' } } }, 'metricTags["a"].static isMetricTags'],
  [
    'a dynamic tag is known',
    { metricTags: { a: { dynamic: 'NAME' } } },
    'metricTags["a"].dynamic isMetricTags',
  ],
  [
    'metricsGuid is the source id',
    { metricsGuid: 'a', metricTags: { source_id: { static: 'b' } } },
    'metricsGuid metricsGuidIsSourceId',
  ],
  ['action is required', { action: undefined }, 'action isObject'],
  ['environment names are not blank', env(' '), 'environmentVariables[0].name isEnvironmentName'],
  ['egress: a known protocol', egress({ protocol: 'sctp' }), 'egressRules[0].protocol isOneOf'],
  ['egress: tcp has ports', egress({ ports: undefined }), 'egressRules[0] portsFitProtocol'],
  [
    'egress: tcp has not both kinds of ports',
    egress({ portRange: { start: 1, end: 2 } }),
    'egressRules[0] portsFitProtocol',
  ],
  [
    'egress: udp has no icmp information',
    egress({ protocol: 'udp', icmpInfo: { type: 0, code: 0 } }),
    'egressRules[0].icmpInfo icmpInfoFitsProtocol',
  ],
  ['egress: icmp has icmp information', icmp({}), 'egressRules[0].icmpInfo icmpInfoFitsProtocol'],
  [
    'egress: icmpv6 has no ports',
    icmp({ protocol: 'icmpv6', ports: [1], icmpInfo: { type: 0, code: 0 } }),
    'egressRules[0] portsFitProtocol',
  ],
  ['egress: all has no ports', egress({ protocol: 'all' }), 'egressRules[0] portsFitProtocol'],
  ['egress: ports >= 1', egress({ ports: [0] }), 'egressRules[0].ports[0] isPortList'],
  [
    'egress: a range from 1',
    egress({ ports: undefined, portRange: { start: 0, end: 1 } }),
    'egressRules[0].portRange.start isPort',
  ],
  [
    'egress: a range in order',
    egress({ ports: undefined, portRange: { start: 2, end: 1 } }),
    'egressRules[0].portRange.start inOrder',
  ],
  ['egress: a destination', egress({ destinations: [] }), 'egressRules[0].destinations isDestinationList'],
  [
    'egress: destinations are addresses',
    egress({ destinations: ['10.0.0.1,host'] }),
    'egressRules[0].destinations[0] isDestinationList',
  ],
  [
    'egress: address ranges in order',
    egress({ destinations: ['10.0.0.2-10.0.0.1'] }),
    'egressRules[0].destinations[0] isDestinationList',
  ],
  ['cached dependency: from', dependency({ from: undefined }), 'cachedDependencies[0].from isUrl'],
  ['cached dependency: to', dependency({ to: '' }), 'cachedDependencies[0].to isText'],
  [
    'cached dependency: algorithm and value together',
    dependency({ checksumAlgorithm: 'md5' }),
    'cachedDependencies[0].checksumValue together',
  ],
  [
    'cached dependency: a known algorithm',
    dependency({ checksumAlgorithm: 'crc', checksumValue: 'x' }),
    'cachedDependencies[0].checksumAlgorithm isChecksumAlgorithm',
  ],
  ['image layer: url', layer({ url: undefined }), 'imageLayers[0].url isUrl'],
  [
    'image layer: destination',
    layer({ destinationPath: undefined }),
    'imageLayers[0].destinationPath isText',
  ],
  ['image layer: type', layer({ layerType: undefined }), 'imageLayers[0].layerType isOneOf'],
  ['image layer: media type', layer({ mediaType: 'RAR' }), 'imageLayers[0].mediaType isOneOf'],
  [
    'image layer: digest algorithm and value together',
    layer({ digestAlgorithm: 'SHA256' }),
    'imageLayers[0].digestValue together',
  ],
  [
    'image layer: EXCLUSIVE needs a digest and a user',
    layer({ layerType: 'EXCLUSIVE' }),
    'imageLayers[0].digestAlgorithm exclusiveNeedsDigest',
    'legacyDownloadUser exclusiveLayersNeedUser',
  ],
  ['image credentials: user needs password', { imageUsername: 'u' }, 'imagePassword together'],
  ['image credentials: password needs user', { imagePassword: 'p' }, 'imageUsername together'],
  ['volume mount: driver', volume({ driver: '' }), 'volumeMounts[0].driver isText'],
  ['volume mount: mode r or rw', volume({ mode: 'x' }), 'volumeMounts[0].mode isOneOf'],
  [
    'volume mount: shared needs a volume id',
    volume({ shared: {} }),
    'volumeMounts[0].shared.volumeId isText',
  ],
  [
    'volume mount: dedicated needs a mounter id',
    volume({ shared: undefined, dedicated: {} }),
    'volumeMounts[0].dedicated.mounterId isText',
  ],
  ['mounted files of at most 1 MB together', files(1_048_578), 'volumeMountedFiles filesFit'],
];

/** Rules of actions; they hold wherever an action may stand. */
const ACTIONS: [string, Fields, ...string[]][] = [
  ['exactly one member', {}, ' exactlyOneOf'],
  ['not two members', { ...inner, try: { action: inner } }, ' exactlyOneOf'],
  ['run: path and user', { run: {} }, '.run.path isText', '.run.user isText'],
  [
    'download: from, to and user',
    { download: {} },
    '.download.from isUrl',
    '.download.to isText',
    '.download.user isText',
  ],
  [
    'download: algorithm and value together',
    { download: { from: 'http://example.com/a', to: '/a', user: 'u', checksumValue: 'x' } },
    '.download.checksumAlgorithm together',
  ],
  [
    'upload: from, to and user',
    { upload: {} },
    '.upload.from isText',
    '.upload.to isUrl',
    '.upload.user isText',
  ],
  ['timeout: an inner action', { timeout: { timeoutMs: 1 } }, '.timeout.action isObject'],
  ['timeout: more than 0', { timeout: { action: inner, timeoutMs: 0 } }, '.timeout.timeoutMs isInteger'],
  ['try: an inner action', { try: {} }, '.try.action isObject'],
  ['emitProgress: an inner action', { emitProgress: {} }, '.emitProgress.action isObject'],
  ['parallel: at least one', { parallel: { actions: [] } }, '.parallel.actions isList'],
  ['serial: none is null', { serial: { actions: [inner, null] } }, '.serial.actions[1] isObject'],
  ['codependent: at least one', { codependent: {} }, '.codependent.actions isList'],
  ['12.3 an empty action within another', { try: { action: {} } }, '.try.action exactlyOneOf'],
];

describe('4.1 DesireLRP', () => {
  const refused = (fields: Fields) =>
    complaintsAbout('post', '/v1/desired-lrps', { ...aDesiredLRP({ processGuid: 'refused' }), ...fields });
  const own: [string, Fields, ...string[]][] = [
    ['a process guid of letters, digits, _ and -', { processGuid: 'a.b' }, 'processGuid isGuid'],
    ['a process guid of at most 255 bytes', { processGuid: 'a'.repeat(256) }, 'processGuid isGuid'],
    ['a domain', { domain: '' }, 'domain isDomainName'],
    ['a domain of at most 255 bytes', { domain: 'a'.repeat(256) }, 'domain isDomainName'],
    ['instances >= 0', { instances: -1 }, 'instances isInteger'],
    ['routes of at most 131,072 bytes', { routes: { r: 'x'.repeat(131_072) } }, 'routes isRoutes'],
    ['setup is valid', { setup: {} }, 'setup exactlyOneOf'],
    ['monitor is valid', { monitor: { run: {} } }, 'monitor.run.path isText', 'monitor.run.user isText'],
    ['sidecar: an action', { sidecars: [{}] }, 'sidecars[0].action isObject'],
    [
      'sidecar: memory and disk >= 0',
      { sidecars: [{ action: inner, memoryMb: -1, diskMb: -1 }] },
      'sidecars[0].diskMb isInteger',
      'sidecars[0].memoryMb isInteger',
    ],
    ['a check is tcp or http', check({}), 'checkDefinition.checks[0] exactlyOneOf'],
    [
      'a check is not both',
      readiness({ tcpCheck: { port: 1 }, httpCheck: { port: 1 } }),
      'checkDefinition.readinessChecks[0] exactlyOneOf',
    ],
    ['a check of a port', check({ tcpCheck: { port: 0 } }), 'checkDefinition.checks[0].tcpCheck.port isPort'],
    [
      'a readiness check of a port',
      readiness({ httpCheck: { port: 65_536 } }),
      'checkDefinition.readinessChecks[0].httpCheck.port isPort',
    ],
    ['no field but those there are', { modificationTag: {} }, 'modificationTag isKnownField'],
    [
      'all complaints at once',
      { processGuid: '', domain: '', memoryMb: '1' },
      'domain isDomainName',
      'memoryMb isInteger',
      'processGuid isGuid',
    ],
  ];
  it.each([...own, ...COMMON])('%s', async (_rule, fields, ...expected) => {
    expect(await refused(fields)).toEqual(expected.toSorted());
  });

  it.each(ACTIONS)('action: %s', async (_rule, fields, ...expected) => {
    expect(await refused(action(fields))).toEqual(expected.map((each) => `action${each}`).toSorted());
  });

  it('nothing of what was refused is there', async () => {
    await bbs.as().get('/v1/desired-lrps/refused').expect(404);
    expect((await bbs.as().get('/v1/actual-lrps').expect(200)).body).toMatchObject({ items: [] });
  });
});

describe('4.1 DesireTask', () => {
  const refused = (fields: Fields, request: Fields = {}) =>
    complaintsAbout('post', '/v1/tasks', {
      taskGuid: 'refused',
      domain: 'd',
      definition: { ...aTaskDefinition(), ...fields },
      ...request,
    });
  it.each<[string, Fields, ...string[]]>([
    ['a task guid of letters, digits, _ and -', { taskGuid: 'a b' }, 'taskGuid isGuid'],
    ['a domain', { domain: '' }, 'domain isDomainName'],
    ['a definition', { definition: undefined }, 'definition isObject'],
  ])('%s', async (_rule, request, ...expected) => {
    expect(await refused({}, request)).toEqual(expected);
  });

  it.each(COMMON)('definition: %s', async (_rule, fields, ...expected) => {
    expect(await refused(fields)).toEqual(expected.map((each) => `definition.${each}`).toSorted());
  });

  it.each(ACTIONS)('definition: action: %s', async (_rule, fields, ...expected) => {
    expect(await refused(action(fields))).toEqual(
      expected.map((each) => `definition.action${each}`).toSorted(),
    );
  });

  it('nothing of what was refused is there', async () => {
    await bbs.as().get('/v1/tasks/refused').expect(404);
  });
});

describe('4.1 UpdateDesiredLRP', () => {
  it.each<[string, Fields, ...string[]]>([
    ['instances >= 0', { instances: -1 }, 'instances isInteger'],
    ['annotation of at most 10,240 bytes', { annotation: 'x'.repeat(10_241) }, 'annotation isText'],
    ['routes of at most 131,072 bytes', { routes: { r: 'x'.repeat(131_072) } }, 'routes isRoutes'],
    ['each metric tag is valid', { metricTags: { a: {} } }, 'metricTags["a"] isMetricTags'],
    ['image credentials together', { imageUsername: 'u' }, 'imagePassword together'],
    ['only what may change', { memoryMb: 1 }, 'memoryMb isKnownField'],
  ])('%s', async (_rule, fields, ...expected) => {
    await bbs
      .client()
      .desireLRP(aDesiredLRP({ processGuid: 'updated' }))
      .catch(() => undefined);
    expect(await complaintsAbout('patch', '/v1/desired-lrps/updated', fields)).toEqual(expected);
    const { body } = await bbs.as().get('/v1/desired-lrps/updated').expect(200);
    expect(body).toMatchObject({ instances: 1, modificationTag: { index: 0 } });
  });

  it('12.3 an update that is none', async () => {
    for (const sent of [undefined, [], 'null']) {
      const request = bbs.as().patch('/v1/desired-lrps/updated').type('json');
      const { body } = await request.send(sent as object).expect(400);
      expect(body).toMatchObject({ code: 'invalid-request' });
    }
  });
});

describe('4.1 other requests', () => {
  it('UpsertDomain: a time to live', async () => {
    expect(await complaintsAbout('put', '/v1/domains/d', {})).toEqual(['ttlSeconds isInteger']);
    expect(await complaintsAbout('put', '/v1/domains/d', { ttlSeconds: -1 })).toEqual([
      'ttlSeconds isInteger',
    ]);
  });

  it('UpsertDomain: a name of at most 255 bytes', async () => {
    const path = `/v1/domains/${'d'.repeat(256)}`;
    expect(await complaintsAbout('put', path, { ttlSeconds: 1 })).toEqual(['domain isDomainName']);
  });

  it('Retire: an index >= 0', async () => {
    for (const index of ['-1', 'x', '1.5']) {
      const { body } = await bbs.as().delete(`/v1/actual-lrps/some-guid/${index}`).expect(400);
      expect(body).toMatchObject({ code: 'invalid-request', fields: [{ field: 'index' }] });
    }
  });
});
