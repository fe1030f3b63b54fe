import { aCell, aDesiredLRP, aRealisticDesiredLRP, aRunAction, aTaskDefinition } from '#test/builders.js';
import {
  Action,
  type CellReport,
  CellReportsRequest,
  DesiredLRPRequest,
  DesiredLRPUpdate,
  DomainRequest,
  LIMITS,
  MAX_INT32,
  PresenceRequest,
  RiveraError,
  TaskRequest,
  parse,
} from '../index.js';

type Class = new () => object;
type Body = Record<string, unknown>;

/** What `parse` has to say, as `field rule`; empty when it accepts. */
function faults(type: Class, body: unknown): string[] {
  try {
    parse(type, body);
    return [];
  } catch (error) {
    if (!(error instanceof RiveraError)) throw error;
    expect(error.code).toBe('invalid-request');
    for (const { field, message } of error.details.fields ?? []) {
      expect(message.startsWith(field || 'The body')).toBe(true);
      expect(message).toMatch(/\.$/);
    }
    return (error.details.fields ?? []).map(({ field, rule }) => `${field} ${rule}`);
  }
}

const lrp = (overrides: Body): Body => ({ ...aDesiredLRP(), ...overrides });
const task = (overrides: Body): Body => ({
  taskGuid: 'task-1',
  domain: 'd',
  definition: { ...aTaskDefinition(), ...overrides },
});
const run = (overrides: Body): Body => lrp({ action: { run: { path: 'a', user: 'u', ...overrides } } });
const rule = (overrides: Body): Body =>
  lrp({ egressRules: [{ protocol: 'tcp', destinations: ['10.0.0.1'], ports: [80], ...overrides }] });
const layer = (overrides: Body): Body =>
  lrp({
    imageLayers: [
      { url: 'http://x/y', destinationPath: '/a', layerType: 'SHARED', mediaType: 'TGZ', ...overrides },
    ],
  });
const dependency = (overrides: Body): Body =>
  lrp({ cachedDependencies: [{ from: 'http://x/y', to: '/a', ...overrides }] });
const volume = (overrides: Body): Body =>
  lrp({ volumeMounts: [{ driver: 'nfs', mode: 'rw', shared: { volumeId: 'v' }, ...overrides }] });
const report = (body: Body): Body => ({ epoch: 1, reports: [body] });
const presence = (overrides: Body): Body => {
  const { zone, address, backend, capacity, rootfsProviders } = aCell();
  return { registration: { zone, address, backend, capacity, rootfsProviders, ...overrides } };
};

const repeat = <T>(count: number, entry: T): T[] => Array.from({ length: count }, () => entry);
const numbered = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

function nested(levels: number): unknown {
  let action: unknown = aRunAction();
  for (let level = 0; level < levels; level += 1) action = { serial: { actions: [action] } };
  return action;
}

describe('the rules of a desired LRP', () => {
  const good: [string, Body][] = [
    ['the smallest request', lrp({})],
    ['a realistic request', { ...aRealisticDesiredLRP() }],
    ['a guid of 255', lrp({ processGuid: 'a_B-9'.repeat(51) })],
    ['a domain of any characters', lrp({ domain: 'ä domain/with: everything' })],
    ['no instances', lrp({ instances: 0 })],
    ['the most instances', lrp({ instances: LIMITS.instances })],
    ['no memory', lrp({ memoryMb: 0, diskMb: MAX_INT32, maxPids: 0 })],
    ['a docker rootfs', lrp({ rootfs: 'docker://registry.example.com:5000/a/b#tag' })],
    ['a layered rootfs', lrp({ rootfs: 'preloaded+layer:cflinuxfs4?layer=http://x/y.tgz&layer_path=/a' })],
    ['an annotation of 10,240 bytes', lrp({ annotation: 'x'.repeat(10_240) })],
    ['no metric tags', lrp({ metricTags: {} })],
    ['a static tag', lrp({ metricTags: { source_id: { static: 'x' } }, metricsGuid: 'x' })],
    ['a dynamic tag', lrp({ metricTags: { 'any name': { dynamic: 'INSTANCE_GUID' } } })],
    ['a metrics guid alone', lrp({ metricsGuid: 'x' })],
    ['the largest routes', lrp({ routes: { r: 'x'.repeat(LIMITS.routesBytes - 8) } })],
    ['routes of any JSON', lrp({ routes: { r: [null, { a: [] }, 1.5, 'x'] } })],
    ['both image credentials', lrp({ imageUsername: '', imagePassword: '' })],
    ['32 ports', lrp({ ports: numbered(32) })],
    ['a tcp range', rule({ ports: undefined, portRange: { start: 1, end: 65_535 } })],
    ['empty ports beside a range', rule({ ports: [], portRange: { start: 1, end: 1 } })],
    ['icmp', rule({ protocol: 'icmpv6', ports: undefined, icmpInfo: { type: -1, code: 0 } })],
    ['all', rule({ protocol: 'all', ports: undefined })],
    ['destinations', rule({ destinations: ['10.0.0.1,10.0.0.0/8,1.1.1.1-1.1.1.2', '::1', 'fe80::/10'] })],
    ['a shared layer', layer({ digestAlgorithm: 'SHA512', digestValue: 'x' })],
    [
      'an exclusive layer',
      {
        ...layer({ layerType: 'EXCLUSIVE', digestAlgorithm: 'SHA256', digestValue: 'x' }),
        legacyDownloadUser: 'vcap',
      },
    ],
    ['a checksum in capitals', dependency({ checksumAlgorithm: 'SHA256', checksumValue: 'x' })],
    ['a dedicated volume', volume({ shared: undefined, dedicated: { mounterId: 'm' } })],
    ['an unlimited log', lrp({ logRateLimit: { bytesPerSecond: -1 } })],
    ['the deepest action', lrp({ action: nested(32), setup: nested(32), monitor: nested(32) })],
    ['files of 1 MB', lrp({ volumeMountedFiles: [{ path: 'a/..b/c', content: 'x'.repeat(1_048_576) }] })],
    ['a file of any bytes', run({ volumeMountedFiles: [{ path: 'a', content: '\0' }] })],
    ['empty resource limits', run({ resourceLimits: {}, args: [''], dir: '' })],
    ['equal delays', lrp({ restartPolicy: { baseDelayMs: 5, maxDelayMs: 5, immediateRestarts: 0 } })],
  ];
  it.each(good)('accept %s', (_what, body) => {
    expect(faults(DesiredLRPRequest, body)).toEqual([]);
  });

  const bad: [string, Body, ...string[]][] = [
    ['no process guid', lrp({ processGuid: undefined }), 'processGuid isGuid'],
    ['a guid with a dot', lrp({ processGuid: 'a.b' }), 'processGuid isGuid'],
    ['a guid with a line break', lrp({ processGuid: 'a\n' }), 'processGuid isGuid'],
    ['a guid of 256', lrp({ processGuid: 'a'.repeat(256) }), 'processGuid isGuid'],
    ['an empty domain', lrp({ domain: '' }), 'domain isDomainName'],
    ['a long domain', lrp({ domain: 'a'.repeat(256) }), 'domain isDomainName'],
    ['a rootfs without scheme', lrp({ rootfs: 'cflinuxfs4' }), 'rootfs isRootfs'],
    ['a rootfs without rest', lrp({ rootfs: 'docker:' }), 'rootfs isRootfs'],
    ['a tag after a colon', lrp({ rootfs: 'docker://busybox:latest' }), 'rootfs isRootfs'],
    ['a long rootfs', lrp({ rootfs: `docker:///${'x'.repeat(1020)}` }), 'rootfs isRootfs'],
    ['negative instances', lrp({ instances: -1 }), 'instances isInteger'],
    ['too many instances', lrp({ instances: LIMITS.instances + 1 }), 'instances isInteger'],
    ['half an instance', lrp({ instances: 1.5 }), 'instances isInteger'],
    ['instances as text', lrp({ instances: '1' }), 'instances isInteger'],
    ['instances null', lrp({ instances: null }), 'instances isInteger'],
    ['negative memory', lrp({ memoryMb: -1 }), 'memoryMb isInteger'],
    ['too much disk', lrp({ diskMb: MAX_INT32 + 1 }), 'diskMb isInteger'],
    ['negative pids', lrp({ maxPids: -1 }), 'maxPids isInteger'],
    ['a null where a field may be absent', lrp({ maxPids: null }), 'maxPids isInteger'],
    ['too much cpu', lrp({ cpuWeight: 101 }), 'cpuWeight isInteger'],
    ['a flag as text', lrp({ privileged: 'true' }), 'privileged isFlag'],
    [
      'a log rate below -1',
      lrp({ logRateLimit: { bytesPerSecond: -2 } }),
      'logRateLimit.bytesPerSecond isInteger',
    ],
    ['no log rate', lrp({ logRateLimit: {} }), 'logRateLimit.bytesPerSecond isInteger'],
    ['an annotation of more bytes', lrp({ annotation: 'ä'.repeat(5121) }), 'annotation isText'],
    ['a half surrogate pair', lrp({ annotation: '\ud800' }), 'annotation isText'],
    ['large routes', lrp({ routes: { r: 'x'.repeat(LIMITS.routesBytes) } }), 'routes isRoutes'],
    ['routes as a list', lrp({ routes: [] }), 'routes isRoutes'],
    ['an unknown field', lrp({ modificationTag: {} }), 'modificationTag isKnownField'],
    ['derived drivers', lrp({ volumeDrivers: ['nfs'] }), 'volumeDrivers isKnownField'],
    ['an unknown inner field', run({ paths: 'x' }), 'action.run.paths isKnownField'],
    [
      'a rule as a field',
      lrp({ '*together(imageUsername,imagePassword)': 1 }),
      '*together(imageUsername,imagePassword) together',
    ],
    ['port 0', lrp({ ports: [1, 0] }), 'ports[1] isPortList'],
    ['ports above', lrp({ ports: [65_536, 'x'] }), 'ports[0] isPortList', 'ports[1] isPortList'],
    ['a port twice', lrp({ ports: [1, 2, 1] }), 'ports isPortList'],
    ['33 ports', lrp({ ports: numbered(33) }), 'ports isPortList'],
    ['an empty tag', lrp({ placementTags: ['a', ''] }), 'placementTags[1] isTextList'],
    ['tags as text', lrp({ placementTags: 'a' }), 'placementTags isTextList'],
    ['less than no processor', lrp({ cpuMillicores: -1 }), 'cpuMillicores isInteger'],
    ['a device without a name', lrp({ devices: [{ name: '', count: 1 }] }), 'devices[0].name isText'],
    ['no device', lrp({ devices: [{ name: 'gpu', count: 0 }] }), 'devices[0].count isInteger'],
    ['17 devices', lrp({ devices: repeat(17, { name: 'gpu', count: 1 }) }), 'devices isList'],
    ['a priority too high', lrp({ priority: 1001 }), 'priority isInteger'],
    ['a priority too low', lrp({ priority: -1001 }), 'priority isInteger'],
    ['affinity to nothing', lrp({ affinity: [{ affinity: 'AVOID' }] }), 'affinity[0] exactlyOneOf'],
    [
      'affinity to two things',
      lrp({ affinity: [{ affinity: 'AVOID', label: 'a', value: 'b', processGuid: 'c' }] }),
      'affinity[0] exactlyOneOf',
    ],
    [
      'affinity of another kind',
      lrp({ affinity: [{ affinity: 'near', processGuid: 'c' }] }),
      'affinity[0].affinity isOneOf',
    ],
    [
      'a label without a value',
      lrp({ affinity: [{ affinity: 'REQUIRE', label: 'a' }] }),
      'affinity[0].value together',
    ],
    [
      'a label over something',
      lrp({ affinity: [{ affinity: 'REQUIRE', label: 'a', value: 'b', over: 'zone' }] }),
      'affinity[0].over overBelongsToProcess',
    ],
    ['spread over nothing', lrp({ spread: [{ over: '', maxSkew: 1 }] }), 'spread[0].over isText'],
    [
      'spread without any skew',
      lrp({ spread: [{ over: 'rack', maxSkew: 0 }] }),
      'spread[0].maxSkew isInteger',
    ],
    ['5 rules of spread', lrp({ spread: repeat(5, { over: 'rack', maxSkew: 1 }) }), 'spread isList'],
    ['a derived number of ports', lrp({ portCount: 1 }), 'portCount isKnownField'],
    ['an update strategy by number', lrp({ updateStrategy: 0 }), 'updateStrategy isOneOf'],
    ['half of the credentials', lrp({ imageUsername: 'u' }), 'imagePassword together'],
    ['the other half', lrp({ imagePassword: 'p' }), 'imageUsername together'],
    [
      'delays in the wrong order',
      lrp({ restartPolicy: { baseDelayMs: 6, maxDelayMs: 5 } }),
      'restartPolicy.baseDelayMs inOrder',
    ],
    [
      'a metrics guid that is not the source',
      lrp({ metricsGuid: 'a', metricTags: { source_id: { static: 'b' } } }),
      'metricsGuid metricsGuidIsSourceId',
    ],
    ['a tag with nothing', lrp({ metricTags: { a: {} } }), 'metricTags["a"] isMetricTags'],
    [
      'a tag with both',
      lrp({ metricTags: { a: { static: 'x', dynamic: 'INDEX' } } }),
      'metricTags["a"] isMetricTags',
    ],
    [
      'an empty static tag',
      lrp({ metricTags: { a: { static: '' } } }),
      'metricTags["a"].static isMetricTags',
    ],
    [
      'an unknown dynamic tag',
      lrp({ metricTags: { a: { dynamic: 'X' } } }),
      'metricTags["a"].dynamic isMetricTags',
    ],
    ['a tag with more', lrp({ metricTags: { a: { static: 'x', y: 1 } } }), 'metricTags["a"] isMetricTags'],
    [
      'a tag as text',
      lrp({ metricTags: { a: 'x', b: null } }),
      'metricTags["a"] isMetricTags',
      'metricTags["b"] isMetricTags',
    ],
    ['a tag without a name', lrp({ metricTags: { '': { static: 'x' } } }), 'metricTags[""] isMetricTags'],
    [
      'a property that is no text',
      lrp({ network: { properties: { a: 1 } } }),
      'network.properties["a"] isTextMap',
    ],
    [
      'a unit that is no text',
      lrp({ certificateProperties: { organizationalUnit: [1] } }),
      'certificateProperties.organizationalUnit[0] isTextList',
    ],
    [
      'a blank variable',
      lrp({ environmentVariables: [{ name: ' ', value: '' }] }),
      'environmentVariables[0].name isEnvironmentName',
    ],
    [
      'an "=" in a name',
      run({ env: [{ name: 'a=b', value: '' }] }),
      'action.run.env[0].name isEnvironmentName',
    ],
    ['a NUL in a value', run({ env: [{ name: 'a', value: '\0' }] }), 'action.run.env[0].value isText'],
    [
      'a variable too long for the system',
      run({ env: [{ name: 'abc', value: 'x'.repeat(LIMITS.argumentBytes - 2) }] }),
      'action.run.env[0].value isArgument',
    ],
    [
      'variables that are no objects',
      lrp({ environmentVariables: ['a=b', null] }),
      'environmentVariables[0] isObject',
      'environmentVariables[1] isObject',
    ],
    [
      'a list within a list',
      lrp({ environmentVariables: [[{ name: 'a', value: 'b' }]] }),
      'environmentVariables[0] isList',
    ],
    [
      'variables as an object',
      lrp({ environmentVariables: { name: 'a', value: 'b' } }),
      'environmentVariables isList',
    ],
    ['too many sidecars', lrp({ sidecars: repeat(33, { action: aRunAction() }) }), 'sidecars isList'],
    [
      'a sidecar without action',
      lrp({ sidecars: [{ memoryMb: -1 }] }),
      'sidecars[0].action isObject',
      'sidecars[0].memoryMb isInteger',
    ],
    ['a deep sidecar', lrp({ sidecars: [{ action: nested(33) }] }), 'sidecars[0].action isShallowAction'],
    [
      'two large files',
      lrp({ volumeMountedFiles: repeat(2, { path: 'a', content: 'x'.repeat(524_289) }) }),
      'volumeMountedFiles filesFit',
    ],
    [
      'files of a run action',
      run({ volumeMountedFiles: repeat(2, { path: 'a', content: 'ä'.repeat(262_145) }) }),
      'action.run.volumeMountedFiles filesFit',
    ],
    [
      'a file outside',
      lrp({ volumeMountedFiles: [{ path: 'a/../../etc/passwd', content: '' }] }),
      'volumeMountedFiles[0].path isRelativePlace',
    ],
    [
      'a file of the parent',
      lrp({ volumeMountedFiles: [{ path: '..', content: '' }] }),
      'volumeMountedFiles[0].path isRelativePlace',
    ],
  ];
  it.each(bad)('refuse %s, and nothing else', (_what, body, ...expected) => {
    expect(faults(DesiredLRPRequest, body).toSorted()).toEqual(expected.toSorted());
  });

  const badParts: [string, Body, ...string[]][] = [
    ['an unknown protocol', rule({ protocol: 'sctp' }), 'egressRules[0].protocol isOneOf'],
    ['tcp without ports', rule({ ports: undefined }), 'egressRules[0] portsFitProtocol'],
    [
      'udp with both',
      rule({ protocol: 'udp', portRange: { start: 1, end: 2 } }),
      'egressRules[0] portsFitProtocol',
    ],
    [
      'tcp with icmp information',
      rule({ icmpInfo: { type: 0, code: 0 } }),
      'egressRules[0].icmpInfo icmpInfoFitsProtocol',
    ],
    [
      'icmp without information',
      rule({ protocol: 'icmp', ports: undefined }),
      'egressRules[0].icmpInfo icmpInfoFitsProtocol',
    ],
    [
      'icmp with ports',
      rule({ protocol: 'icmp', icmpInfo: { type: 0, code: 0 } }),
      'egressRules[0] portsFitProtocol',
    ],
    [
      'icmp of type 256',
      rule({ protocol: 'icmp', ports: undefined, icmpInfo: { type: 256, code: 0 } }),
      'egressRules[0].icmpInfo.type isInteger',
    ],
    [
      'all with a range',
      rule({ protocol: 'all', ports: undefined, portRange: { start: 1, end: 2 } }),
      'egressRules[0] portsFitProtocol',
    ],
    ['port 0 of a rule', rule({ ports: [0] }), 'egressRules[0].ports[0] isPortList'],
    [
      'a range the wrong way',
      rule({ ports: undefined, portRange: { start: 2, end: 1 } }),
      'egressRules[0].portRange.start inOrder',
    ],
    [
      'a range from 0',
      rule({ ports: undefined, portRange: { start: 0, end: 1 } }),
      'egressRules[0].portRange.start isPort',
    ],
    ['no destination', rule({ destinations: [] }), 'egressRules[0].destinations isDestinationList'],
    [
      'a host name',
      rule({ destinations: ['10.0.0.1', 'example.com'] }),
      'egressRules[0].destinations[1] isDestinationList',
    ],
    [
      'an empty destination',
      rule({ destinations: ['10.0.0.1,'] }),
      'egressRules[0].destinations[0] isDestinationList',
    ],
    ['a dependency without source', dependency({ from: '' }), 'cachedDependencies[0].from isUrl'],
    ['a dependency without place', dependency({ to: undefined }), 'cachedDependencies[0].to isText'],
    [
      'a checksum without value',
      dependency({ checksumAlgorithm: 'md5' }),
      'cachedDependencies[0].checksumValue together',
    ],
    [
      'an unknown checksum',
      dependency({ checksumAlgorithm: 'sha512', checksumValue: 'x' }),
      'cachedDependencies[0].checksumAlgorithm isChecksumAlgorithm',
    ],
    ['a layer without url', layer({ url: 'x' }), 'imageLayers[0].url isUrl'],
    ['a layer without place', layer({ destinationPath: '' }), 'imageLayers[0].destinationPath isText'],
    ['an unknown layer type', layer({ layerType: 'OTHER' }), 'imageLayers[0].layerType isOneOf'],
    ['an unknown media type', layer({ mediaType: 1 }), 'imageLayers[0].mediaType isOneOf'],
    ['half a digest', layer({ digestValue: 'x' }), 'imageLayers[0].digestAlgorithm together'],
    [
      'an exclusive layer without digest and user',
      layer({ layerType: 'EXCLUSIVE' }),
      'imageLayers[0].digestAlgorithm exclusiveNeedsDigest',
      'legacyDownloadUser exclusiveLayersNeedUser',
    ],
    ['a volume without driver', volume({ driver: '' }), 'volumeMounts[0].driver isText'],
    ['an unknown mode', volume({ mode: 'w' }), 'volumeMounts[0].mode isOneOf'],
    ['a shared device without volume', volume({ shared: {} }), 'volumeMounts[0].shared.volumeId isText'],
    [
      'a dedicated device without mounter',
      volume({ shared: undefined, dedicated: { mounterId: '' } }),
      'volumeMounts[0].dedicated.mounterId isText',
    ],
    ['a volume without device', volume({ shared: undefined }), 'volumeMounts[0] exactlyOneOf'],
    [
      'a check of no kind',
      lrp({ checkDefinition: { checks: [{}] } }),
      'checkDefinition.checks[0] exactlyOneOf',
    ],
    [
      'a check of both kinds',
      lrp({ checkDefinition: { readinessChecks: [{ tcpCheck: { port: 1 }, httpCheck: { port: 1 } }] } }),
      'checkDefinition.readinessChecks[0] exactlyOneOf',
    ],
    [
      'a check of port 0',
      lrp({ checkDefinition: { checks: [{ tcpCheck: { port: 0 } }] } }),
      'checkDefinition.checks[0].tcpCheck.port isPort',
    ],
    [
      'a check of port 65536',
      lrp({ checkDefinition: { checks: [{ httpCheck: { port: 65_536 } }] } }),
      'checkDefinition.checks[0].httpCheck.port isPort',
    ],
  ];
  it.each(badParts)('refuse %s, and nothing else', (_what, body, ...expected) => {
    expect(faults(DesiredLRPRequest, body).toSorted()).toEqual(expected.toSorted());
  });

  it('say everything that is wrong at once', () => {
    expect(faults(DesiredLRPRequest, {})).toEqual([
      'processGuid isGuid',
      'domain isDomainName',
      'instances isInteger',
      'rootfs isRootfs',
      'memoryMb isInteger',
      'diskMb isInteger',
      'action isObject',
    ]);
  });
});

describe('the rules of actions', () => {
  const inner = aRunAction();
  const good: [string, Body][] = [
    ['download', { download: { from: 'http://x/y', to: '.', user: 'u', cacheKey: 'k', artifact: 'a' } }],
    ['upload', { upload: { from: '/a', to: 'https://x/y', user: 'u' } }],
    ['timeout', { timeout: { action: inner, timeoutMs: 1 } }],
    ['emitProgress', { emitProgress: { action: inner, startMessage: 'Start', failureMessagePrefix: '' } }],
    ['try', { try: { action: inner } }],
    ['parallel', { parallel: { actions: [inner, inner] } }],
    ['serial', { serial: { actions: repeat(256, inner), logSource: 'X' } }],
    ['codependent', { codependent: { actions: [inner] } }],
  ];
  it.each(good)('accept %s', (_what, action) => {
    expect(faults(Action, action)).toEqual([]);
  });

  const bad: [string, Body, ...string[]][] = [
    ['nothing', {}, ' exactlyOneOf'],
    ['two members', { ...inner, try: { action: inner } }, ' exactlyOneOf'],
    ['nothing within a try', { try: { action: {} } }, 'try.action exactlyOneOf'],
    ['nothing within a list', { serial: { actions: [inner, {}] } }, 'serial.actions[1] exactlyOneOf'],
    ['null within a list', { parallel: { actions: [null] } }, 'parallel.actions[0] isObject'],
    ['no inner action', { emitProgress: {} }, 'emitProgress.action isObject'],
    ['a list for an action', { try: { action: [inner] } }, 'try.action isObject'],
    ['a null member', { run: null, try: { action: inner } }, 'run isObject', ' exactlyOneOf'],
    ['an empty list', { codependent: { actions: [] } }, 'codependent.actions isList'],
    ['257 actions', { serial: { actions: repeat(257, inner) } }, 'serial.actions isList'],
    ['no time', { timeout: { action: inner, timeoutMs: 0 } }, 'timeout.timeoutMs isInteger'],
    [
      'too much time',
      { timeout: { action: inner, timeoutMs: MAX_INT32 + 1 } },
      'timeout.timeoutMs isInteger',
    ],
    ['no path and user', { run: {} }, 'run.path isText', 'run.user isText'],
    ['a NUL in a path', { run: { path: 'a\0', user: 'u' } }, 'run.path isText'],
    [
      'a half pair in an argument',
      { run: { path: 'a', args: ['', '\udc00'], user: 'u' } },
      'run.args[1] isTextList',
    ],
    [
      'negative files',
      { run: { path: 'a', user: 'u', resourceLimits: { nofile: -1 } } },
      'run.resourceLimits.nofile isInteger',
    ],
    [
      'an empty download',
      { download: { checksumValue: 'x' } },
      'download.from isUrl',
      'download.to isText',
      'download.user isText',
      'download.checksumAlgorithm together',
    ],
    ['an empty upload', { upload: {} }, 'upload.from isText', 'upload.to isUrl', 'upload.user isText'],
  ];
  it.each(bad)('refuse %s', (_what, action, ...expected) => {
    expect(faults(Action, action).toSorted()).toEqual(expected.toSorted());
  });

  it.each(['action', 'setup', 'monitor'])('refuse 33 levels in %s', (field) => {
    expect(faults(DesiredLRPRequest, lrp({ [field]: nested(33) }))).toEqual([`${field} isShallowAction`]);
  });
});

describe('the rules of updates, tasks, domains', () => {
  const good: [string, Class, Body][] = [
    ['an empty update', DesiredLRPUpdate, {}],
    [
      'an update of all',
      DesiredLRPUpdate,
      { instances: 0, routes: {}, annotation: '', metricTags: {}, imageUsername: 'u', imagePassword: 'p' },
    ],
    ['a task', TaskRequest, task({})],
    ['a task with a callback', TaskRequest, task({ completionCallbackUrl: 'http://x/y', resultFile: '/r' })],
    ['a fresh domain', DomainRequest, { ttlSeconds: 0 }],
  ];
  it.each(good)('accept %s', (_what, type, body) => {
    expect(faults(type, body)).toEqual([]);
  });

  const bad: [string, Class, Body, ...string[]][] = [
    ['negative instances', DesiredLRPUpdate, { instances: -1 }, 'instances isInteger'],
    ['null for a field', DesiredLRPUpdate, { annotation: null }, 'annotation isText'],
    ['half of the credentials', DesiredLRPUpdate, { imagePassword: 'p' }, 'imageUsername together'],
    ['what cannot change', DesiredLRPUpdate, { memoryMb: 1 }, 'memoryMb isKnownField'],
    ['bad tags', DesiredLRPUpdate, { metricTags: { a: {} } }, 'metricTags["a"] isMetricTags'],
    ['an empty task', TaskRequest, {}, 'taskGuid isGuid', 'domain isDomainName', 'definition isObject'],
    [
      'a blank name in a task',
      TaskRequest,
      task({ environmentVariables: [{ name: '', value: '' }] }),
      'definition.environmentVariables[0].name isEnvironmentName',
    ],
    [
      'half the credentials of a task',
      TaskRequest,
      task({ imageUsername: 'u' }),
      'definition.imagePassword together',
    ],
    [
      'a callback of another scheme',
      TaskRequest,
      task({ completionCallbackUrl: 'ftp://x/y' }),
      'definition.completionCallbackUrl isUrl',
    ],
    ['a deep task', TaskRequest, task({ action: nested(33) }), 'definition.action isShallowAction'],
    ['instances of a task', TaskRequest, task({ instances: 1 }), 'definition.instances isKnownField'],
    ['no time', DomainRequest, {}, 'ttlSeconds isInteger'],
  ];
  it.each(bad)('refuse %s', (_what, type, body, ...expected) => {
    expect(faults(type, body).toSorted()).toEqual(expected.toSorted());
  });
});

describe('the rules of what cells send', () => {
  const key = { processGuid: 'p', index: 0, instanceGuid: 'i' };
  const netInfo = { address: '10.0.0.1', ports: [{ containerPort: 1, hostPort: 2 }] };
  const good: CellReport[] = [
    { type: 'claim', ...key },
    { type: 'refuse', ...key, reason: 'full' },
    { type: 'start', ...key, netInfo, routable: true },
    { type: 'start', ...key, netInfo: { ...netInfo, preferredAddress: 'HOST' }, routable: false },
    { type: 'evacuate-claimed', ...key },
    { type: 'evacuate-running', ...key, netInfo, routable: true },
    { type: 'evacuate-crashed', ...key, reason: 'exited' },
    { type: 'evacuate-stopped', ...key },
    { type: 'remove-evacuating', ...key },
    { type: 'crash', ...key, reason: 'out of memory\0' },
    { type: 'remove', ...key },
    { type: 'start-task', taskGuid: 't' },
    { type: 'refuse-task', taskGuid: 't', reason: '' },
    { type: 'reject-task', taskGuid: 't', reason: 'r' },
    { type: 'complete-task', taskGuid: 't', failed: true, failureReason: 'r' },
    { type: 'complete-task', taskGuid: 't', failed: false, result: '\ud800' },
  ];
  it.each(good)('accept a report of type $type', (body) => {
    expect(parse(CellReportsRequest, report({ ...body })).reports).toEqual([body]);
  });

  const bad: [string, Body, ...string[]][] = [
    ['an unknown type', report({ type: 'x' }), 'reports[0].type isOneOf'],
    ['an inherited type', report({ type: 'toString' }), 'reports[0].type isOneOf'],
    ['no type', report({ ...key }), 'reports[0].type isOneOf'],
    [
      'an incomplete claim',
      report({ type: 'claim' }),
      'reports[0].processGuid isGuid',
      'reports[0].index isInteger',
      'reports[0].instanceGuid isGuid',
    ],
    ['a crash without reason', report({ type: 'crash', ...key }), 'reports[0].reason isText'],
    [
      'a claim with a result',
      report({ type: 'claim', ...key, result: '' }),
      'reports[0].result fieldsFitType',
    ],
    [
      'a task with an index',
      report({ type: 'start-task', taskGuid: 't', index: 0 }),
      'reports[0].index fieldsFitType',
    ],
    ['a report with more', report({ type: 'claim', ...key, x: 1 }), 'reports[0].x isKnownField'],
    [
      'a start without net info',
      report({ type: 'start', ...key, routable: true }),
      'reports[0].netInfo isObject',
    ],
    [
      'a start on port 0',
      report({
        type: 'start',
        ...key,
        routable: true,
        netInfo: { address: '', ports: [{ containerPort: 0, hostPort: 1 }] },
      }),
      'reports[0].netInfo.address isText',
      'reports[0].netInfo.ports[0].containerPort isPort',
    ],
    ['null for a report', { epoch: 1, reports: [null] }, 'reports[0] isObject'],
    ['no epoch', { reports: [] }, 'epoch isInteger'],
    ['no reports', { epoch: 1 }, 'reports isList'],
  ];
  it.each(bad)('refuse %s', (_what, body, ...expected) => {
    expect(faults(CellReportsRequest, body).toSorted()).toEqual(expected.toSorted());
  });

  it('accept a presence, with and without an epoch', () => {
    expect(faults(PresenceRequest, presence({}))).toEqual([]);
    expect(
      faults(PresenceRequest, { ...presence({ evacuating: true, placementTags: ['a'] }), epoch: 3 }),
    ).toEqual([]);
  });

  const badPresences: [string, Body, ...string[]][] = [
    ['nothing', {}, 'registration isObject'],
    ['an epoch as text', { ...presence({}), epoch: '3' }, 'epoch isInteger'],
    ['no zone', presence({ zone: '' }), 'registration.zone isText'],
    ['no starts at all', presence({ maxStarting: 0 }), 'registration.maxStarting isInteger'],
    ['a pool without a name', presence({ pool: '' }), 'registration.pool isText'],
    ['a label by number', presence({ labels: { rack: 1 } }), 'registration.labels["rack"] isTextMap'],
    [
      'negative ports',
      presence({ capacity: { memoryMb: 1, diskMb: 0, containers: 0, ports: -1 } }),
      'registration.capacity.ports isInteger',
    ],
    [
      'negative capacity',
      presence({ capacity: { memoryMb: -1, diskMb: 0, containers: 0 } }),
      'registration.capacity.memoryMb isInteger',
    ],
    [
      'a scheme with its colon',
      presence({ rootfsProviders: [{ scheme: 'docker:' }] }),
      'registration.rootfsProviders[0].scheme isScheme',
    ],
    ['no providers', presence({ rootfsProviders: undefined }), 'registration.rootfsProviders isList'],
  ];
  it.each(badPresences)('refuse a presence with %s', (_what, body, ...expected) => {
    expect(faults(PresenceRequest, body)).toEqual(expected);
  });
});
