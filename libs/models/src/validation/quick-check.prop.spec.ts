import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { aCell, aDesiredLRP, aRealisticDesiredLRP, aRunAction } from '#test/builders.js';
import {
  Action,
  CellReportsRequest,
  ContainerSpec,
  DesiredLRPRequest,
  DesiredLRPUpdate,
  DomainRequest,
  ModificationTag,
  PresenceRequest,
  TaskRequest,
} from '../index.js';
import { planOf } from './class-plan.js';
import { LIMITS } from './limits.js';
import { isSurelyFine } from './quick-check.js';
import { thoroughParse } from './thorough-parse.js';

type Class = new () => object;
type Container = Record<string, unknown>;

/** Everything the realistic request leaves out, so that no field of any class is out of reach. */
function aFullDesiredLRP(): object {
  const download = {
    from: 'http://x/y',
    to: '/a',
    user: 'u',
    checksumAlgorithm: 'MD5',
    checksumValue: '0',
    logSource: 'l',
  };
  const upload = { artifact: 'a', from: '/a', to: 'http://x/y', logSource: 'l', user: 'u' };
  const messages = { startMessage: 'a', successMessage: 'b', failureMessagePrefix: 'c', logSource: 'd' };
  const user = 'u';
  return {
    ...aRealisticDesiredLRP(),
    updateStrategy: 'RECREATE',
    cpuMillicores: 500,
    devices: [{ name: 'gpu', count: 1 }],
    priority: -1,
    affinity: [
      { affinity: 'REQUIRE', label: 'rack', value: 'r1' },
      { affinity: 'AVOID', processGuid: 'p', over: 'zone' },
    ],
    spread: [{ over: 'rack', maxSkew: 1 }],
    privileged: false,
    metricsGuid: 'm',
    metricTags: { source_id: { static: 'm' } },
    restartPolicy: {
      immediateRestarts: 1,
      baseDelayMs: 2,
      maxDelayMs: 3,
      maxRestarts: 4,
      resetAfterMs: 5,
    },
    action: {
      emitProgress: { action: { try: { action: { upload }, logSource: 'l' } }, ...messages },
    },
    setup: {
      parallel: {
        actions: [{ download }, { timeout: { action: aRunAction(), timeoutMs: 1, logSource: 'l' } }],
        logSource: 'l',
      },
    },
    monitor: {
      codependent: {
        actions: [
          {
            run: {
              path: 'a',
              dir: '/',
              resourceLimits: { nproc: 1 },
              volumeMountedFiles: [{ path: 'p', content: '\0' }],
              user,
            },
          },
        ],
        logSource: 'l',
      },
    },
    checkDefinition: {
      checks: [
        { tcpCheck: { port: 1, intervalMs: 0 } },
        { httpCheck: { port: 1, path: '/', requestTimeoutMs: 1, intervalMs: 1 } },
      ],
    },
    egressRules: [
      {
        protocol: 'icmpv6',
        destinations: ['::1', '1.1.1.1'],
        icmpInfo: { type: 0, code: 1 },
        annotations: ['é'],
      },
    ],
    cachedDependencies: [
      { from: 'http://x/y', to: '/a', logSource: 'l', checksumAlgorithm: 'sha1', checksumValue: '0' },
    ],
    imageLayers: [
      {
        name: 'n',
        url: 'http://x/y',
        destinationPath: '/a',
        layerType: 'EXCLUSIVE',
        mediaType: 'TGZ',
        digestAlgorithm: 'SHA256',
        digestValue: '0',
      },
    ],
    legacyDownloadUser: 'u',
    imageUsername: 'u',
    imagePassword: 'p',
    volumeMounts: [
      { driver: 'nfs', containerDir: '/d', mode: 'rw', shared: { volumeId: 'v', mountConfig: '{}' } },
      { driver: 'nfs', mode: 'r', dedicated: { mounterId: 'm', mountConfig: '', deviceConfig: '' } },
    ],
    volumeMountedFiles: [{ path: 'a/b', content: '😀' }],
    sidecars: [{ action: aRunAction(), diskMb: 1, memoryMb: 1 }],
  };
}

const lrpKey = { processGuid: 'p', index: 0, instanceGuid: 'i' };
const netInfo = {
  address: '10.0.0.1',
  ports: [{ containerPort: 1, hostPort: 2, containerTlsProxyPort: 3, hostTlsProxyPort: 4 }],
  instanceAddress: 'a',
  instanceIpv6Address: 'a',
  preferredAddress: 'HOST',
};
const REPORTS = [
  { type: 'claim', ...lrpKey },
  { type: 'refuse', ...lrpKey, reason: 'r' },
  { type: 'start', ...lrpKey, netInfo, routable: true },
  { type: 'crash', ...lrpKey, reason: '\0' },
  { type: 'remove', ...lrpKey },
  { type: 'start-task', taskGuid: 't' },
  { type: 'refuse-task', taskGuid: 't', reason: 'r' },
  { type: 'reject-task', taskGuid: 't', reason: 'r' },
  { type: 'complete-task', taskGuid: 't', failed: true, failureReason: 'r', result: 'x' },
];

const { zone, address, backend, capacity, rootfsProviders } = aCell();
const registration = {
  zone,
  address,
  backend,
  capacity: { ...capacity, cpuMillicores: 4000, ports: 100, devices: [{ name: 'gpu', count: 2 }] },
  rootfsProviders,
  placementTags: ['a'],
  optionalPlacementTags: [],
  volumeDrivers: ['nfs'],
  labels: { rack: 'r1' },
  pool: 'batch',
  maxStarting: 4,
  evacuating: false,
};
const fullLRP = aFullDesiredLRP();
const containerFields = Object.entries(fullLRP).filter(([field]) =>
  planOf(ContainerSpec)?.fieldOf.has(field),
);
const definition = {
  ...Object.fromEntries(containerFields),
  resultFile: '/r',
  completionCallbackUrl: 'http://x/',
};

const CORPUS: [name: string, type: Class, input: object][] = [
  ['the smallest desired LRP', DesiredLRPRequest, aDesiredLRP()],
  ['a realistic desired LRP', DesiredLRPRequest, aRealisticDesiredLRP()],
  ['a full desired LRP', DesiredLRPRequest, fullLRP],
  [
    'an update',
    DesiredLRPUpdate,
    {
      instances: 1,
      routes: { r: [{ a: [1] }] },
      annotation: 'a',
      metricTags: {},
      imageUsername: 'u',
      imagePassword: 'p',
    },
  ],
  ['a task', TaskRequest, { taskGuid: 't', domain: 'd', definition }],
  ['an action', Action, { serial: { actions: [aRunAction(), { try: { action: aRunAction() } }] } }],
  ['reports of a cell', CellReportsRequest, { epoch: 1, reports: REPORTS }],
  ['a presence', PresenceRequest, { epoch: 1, registration }],
  ['a domain', DomainRequest, { ttlSeconds: 0 }],
  ['a tag', ModificationTag, { epoch: 'e', index: 2 ** 31 }],
];

type Outcome = { accepted: object } | { refused: unknown };

function outcomeOf(run: () => object): Outcome {
  try {
    return { accepted: run() };
  } catch (refused) {
    return { refused };
  }
}

/** Both ways on one input. `isJson`: nothing but what JSON can say, so the quick way has no excuse to be unsure. */
function compare(type: Class, input: unknown, isJson: boolean): boolean {
  const before = isJson ? JSON.stringify(input) : '';
  const isFine = isSurelyFine(type, input);
  const thorough = outcomeOf(() => thoroughParse(type, input));
  if (isJson) expect(JSON.stringify(input)).toBe(before);
  if ('refused' in thorough) {
    expect(isFine).toBe(false);
    return false;
  }
  if (isJson) expect(isFine).toBe(true);
  if (!isFine) return true;
  // Keys that are undefined count here, the order of keys does not; toEqual is for the message.
  const [given, answered] = [sorted(input), sorted(thorough.accepted)];
  if (!isDeepStrictEqual(given, answered)) expect(given).toEqual(answered);
  return true;
}

/** Plain copies of the objects in it, with their keys in order. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const entries = Object.entries(value).map(([key, each]) => [key, sorted(each)] as const);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Every object and list within a value, and the value itself. */
function containers(value: unknown): Container[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value as Container, ...Object.values(value).flatMap(containers)];
}

/** Also where an ordinary assignment would not make a field, as `JSON.parse` does. */
function put(place: Container, key: string, value: unknown): void {
  Object.defineProperty(place, key, { value, writable: true, enumerable: true, configurable: true });
}

const nest = (levels: number, inner: unknown): unknown =>
  levels <= 0
    ? inner
    : nest(levels - 1, levels % 2 ? { try: { action: inner } } : { serial: { actions: [inner] } });

const oddJson: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    '',
    '\0',
    '\ud800',
    'é😀',
    'a=b',
    '../x',
    'SHARED',
    'tcp',
    'x'.repeat(256),
    'é'.repeat(128),
    0,
    -1,
    -0,
    1.5,
    101,
    65_536,
    2 ** 31,
    2 ** 53,
    1e308,
  ),
  fc.constantFrom<unknown>([], {}, [[]], [{}], [null], { a: 1 }, [{ name: 'n', value: 'v' }], { '': '' }),
  fc.constantFrom(
    'run',
    'claim',
    'complete-task',
    '10.0.0.1',
    'http://x/y',
    'docker:///a',
    '1.2.3.4-1.2.3.3',
  ),
  fc.jsonValue({ maxDepth: 3 }),
  fc.integer({ min: 28, max: 40 }).map((levels) => nest(levels, aRunAction())),
);

const oddOther: fc.Arbitrary<unknown> = fc.oneof(
  fc
    .constantFrom<() => unknown>(
      () => undefined,
      () => Number.NaN,
      () => Number.NEGATIVE_INFINITY,
      () => 1n,
      () => Symbol('s'),
      () => () => 1,
      () => new Date(0),
      () => new Map([['a', 1]]),
      () => Object.create(null) as object,
      () => Object.create({ path: '/a', user: 'u' }) as object,
      () => Object.setPrototypeOf(new Date(0), Object.prototype) as object,
      () => ({
        get path() {
          return '/a';
        },
        user: 'u',
      }),
      () => Object.defineProperty({ user: 'u' }, 'path', { value: '/a' }),
      () => ({ path: '/a', user: 'u', dir: undefined }),
      () => Object.assign([], { length: 3 }),
      () => [undefined],
      () => ({ [Symbol.toStringTag]: 'Map', path: '/a', user: 'u' }),
      () => thoroughParse(Action, aRunAction()),
      () => Buffer.from('a'),
    )
    .map((make) => make()),
  fc.anything({ withNullPrototype: true, withSparseArray: true, withBoxedValues: true }),
);

const KEYS = [
  'x',
  '__proto__',
  'constructor',
  'toString',
  'then',
  'length',
  '0',
  '',
  '*exactlyOneOf()',
  '*isArgument()',
  'action',
  'actions',
  'run',
  'path',
  'user',
  'logSource',
  'type',
  'reason',
  'netInfo',
  'ports',
  'static',
];

interface Mutation {
  place: number;
  key: number;
  kind: 'set' | 'remove' | 'add' | 'wrap' | 'unwrap' | 'transplant' | 'repeat' | 'shuffle';
  value: unknown;
}

const mutationOf = (value: fc.Arbitrary<unknown>): fc.Arbitrary<Mutation> =>
  fc.record({
    place: fc.nat(),
    key: fc.nat(),
    kind: fc.constantFrom('set', 'set', 'remove', 'add', 'wrap', 'unwrap', 'transplant', 'repeat', 'shuffle'),
    value,
  });

function mutate(input: object, { place: at, key: which, kind, value }: Mutation): void {
  const places = containers(input);
  const place = places[at % places.length]!;
  const keys = Object.keys(place);
  const key = keys[which % keys.length] ?? 'x';
  const old = place[key];
  switch (kind) {
    case 'set':
      return put(place, key, value);
    case 'remove':
      if (Array.isArray(place)) place.pop();
      else delete place[key];
      return;
    case 'add':
      return put(place, Array.isArray(place) ? String(place.length) : KEYS[which % KEYS.length]!, value);
    case 'wrap':
      return put(place, key, which % 2 ? [old] : { action: old });
    case 'unwrap':
      return put(place, key, containers(old)[1] ?? Object.values(Object(old) as object)[0] ?? null);
    case 'transplant':
      return put(place, key, structuredClone(places[which % places.length]));
    case 'repeat':
      if (Array.isArray(old))
        put(
          place,
          key,
          Array.from(
            { length: (which % 300) + 2 },
            (_, n) => structuredClone(old[n % old.length]) as unknown,
          ),
        );
      return;
    case 'shuffle': {
      const entries = Object.entries(place).toReversed();
      if (!Array.isArray(place)) {
        for (const [name] of entries) delete place[name];
        for (const [name, each] of entries) put(place, name, each);
      }
    }
  }
}

const RUNS = Number(process.env['RIVERA_PROPERTY_RUNS'] ?? 250);

describe('what is surely fine is accepted as it is by thoroughParse', () => {
  it.each(CORPUS)('for %s', (_name, type, input) => {
    expect(compare(type, input, true)).toBe(true);
    expect(compare(type, JSON.parse(JSON.stringify(input)), true)).toBe(true);
  });

  it('and the corpus gives each field of each class a value', () => {
    const seen = new Map<Class, Set<string>>();
    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      const type = value.constructor as Class;
      if (type !== Object && !Array.isArray(value)) {
        const fields = seen.get(type) ?? new Set();
        Object.keys(value).forEach((field) => fields.add(field));
        seen.set(type, fields);
      }
      Object.values(value).forEach(visit);
    };
    for (const [, type, input] of CORPUS) visit(thoroughParse(type, input));
    expect(seen.size).toBeGreaterThan(35);
    for (const [type, fields] of seen) {
      const declared = planOf(type)?.fields.map(({ name }) => name) ?? [];
      expect([type.name, [...fields].toSorted()]).toEqual([
        type.name,
        declared.filter((name) => !name.startsWith('*')).toSorted(),
      ]);
    }
  });

  describe.each(CORPUS)('for %s', (_name, type, input) => {
    it('changed in a few places, still JSON', () => {
      const tally = { accepted: 0, refused: 0 };
      const property = fc.property(
        fc.array(mutationOf(oddJson), { minLength: 1, maxLength: 3 }),
        (mutations) => {
          const changed = structuredClone(input);
          for (const mutation of mutations) mutate(changed, structuredClone(mutation));
          const text = JSON.stringify(changed);
          if (text.length > 300_000) return;
          tally[compare(type, JSON.parse(text), true) ? 'accepted' : 'refused'] += 1;
        },
      );
      fc.assert(property, { numRuns: RUNS });
      expect(tally.refused).toBeGreaterThan(RUNS / 20);
      expect(tally.accepted).toBeGreaterThan(0);
    });

    it('with anything anywhere', () => {
      const property = fc.property(
        mutationOf(oddOther),
        fc.array(mutationOf(oddJson), { maxLength: 1 }),
        (odd, more) => {
          const changed = structuredClone(input);
          for (const mutation of more) mutate(changed, structuredClone(mutation));
          mutate(changed, odd.kind === 'transplant' ? { ...odd, kind: 'set' } : odd);
          compare(type, changed, false);
        },
      );
      fc.assert(property, { numRuns: RUNS });
    });
  });

  it('at the limits of the shape of a request', () => {
    const update = (routes: unknown): object => ({ routes });
    const list = (length: number): number[] => Array.from({ length }, () => 1);
    const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);
    const fields = (count: number): object =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, n]));
    // The root, its routes and the list in them are three more values, and two more levels.
    const lists = (values: number): object => ({
      r: [...Array.from({ length: 9 }, () => list(1999)), list(values - 18_000 - 4)],
    });
    const pairs: [good: unknown, bad: unknown][] = [
      [{ r: list(LIMITS.jsonListEntries) }, { r: list(LIMITS.jsonListEntries + 1) }],
      [{ r: deep(LIMITS.jsonDepth - 2) }, { r: deep(LIMITS.jsonDepth - 1) }],
      [{ r: fields(LIMITS.jsonFields) }, { r: fields(LIMITS.jsonFields + 1) }],
      [lists(LIMITS.jsonValues), lists(LIMITS.jsonValues + 1)],
    ];
    for (const [good, bad] of pairs) {
      expect(compare(DesiredLRPUpdate, update(good), true)).toBe(true);
      expect(compare(DesiredLRPUpdate, update(bad), true)).toBe(false);
    }
    const action = (levels: number): unknown => nest(levels, aRunAction());
    expect(compare(DesiredLRPRequest, { ...aDesiredLRP(), action: action(LIMITS.actionDepth) }, true)).toBe(
      true,
    );
    expect(
      compare(DesiredLRPRequest, { ...aDesiredLRP(), action: action(LIMITS.actionDepth + 1) }, true),
    ).toBe(false);
    for (let levels = 38; levels < 70; levels += 1) compare(Action, action(levels), true);
  });
});
