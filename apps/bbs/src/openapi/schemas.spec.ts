import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import * as fc from 'fast-check';
import { aCell, aDesiredLRP, aRealisticDesiredLRP, aRunAction, aTaskDefinition } from '#test/builders.js';
import {
  CellReportsRequest,
  DesiredLRPRequest,
  DesiredLRPUpdate,
  DomainRequest,
  LIMITS,
  parse,
  PresenceRequest,
  TaskRequest,
} from '#rivera/models';
import { type Class, ClassSchemas } from './class-schemas.js';
import type { Components } from './json-schema.js';

const CLASSES = [
  DesiredLRPRequest,
  DesiredLRPUpdate,
  TaskRequest,
  DomainRequest,
  PresenceRequest,
  CellReportsRequest,
];
const components: Components = new Map();
const classes = new ClassSchemas(components);
CLASSES.forEach((type) => classes.refTo(type));
const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema({ $id: 'api', components: { schemas: Object.fromEntries(components) } });

function compiled(name: string): ValidateFunction {
  return ajv.compile({ $ref: `api#/components/schemas/${name}` });
}
const VALIDATORS = new Map<Class, ValidateFunction>(CLASSES.map((type) => [type, compiled(type.name)]));

function isValid(type: Class, body: unknown): boolean {
  // As it travels: without fields that are undefined.
  return VALIDATORS.get(type)!(JSON.parse(JSON.stringify(body)));
}

function isParsed(type: Class, body: unknown): boolean {
  try {
    parse(type, JSON.parse(JSON.stringify(body)));
    return true;
  } catch {
    return false;
  }
}

const { zone, address, backend, capacity, rootfsProviders } = aCell();
const registration = { zone, address, backend, capacity, rootfsProviders };
const lrp = (change: object): object => ({ ...aDesiredLRP(), ...change });
const report = (...reports: object[]): object => ({ epoch: 1, reports });
const claim = { type: 'claim', processGuid: 'p', index: 0, instanceGuid: 'i' };
const netInfo = { address: '10.0.0.1', ports: [{ containerPort: 8080, hostPort: 61_001 }] };

const GOOD: [string, Class, object][] = [
  ['the smallest LRP', DesiredLRPRequest, aDesiredLRP()],
  ['a realistic LRP', DesiredLRPRequest, aRealisticDesiredLRP()],
  [
    'any checksum case',
    DesiredLRPRequest,
    lrp({
      cachedDependencies: [{ from: 'http://x/y', to: '/a', checksumAlgorithm: 'SHA256', checksumValue: 'x' }],
    }),
  ],
  [
    'a volume',
    DesiredLRPRequest,
    lrp({ volumeMounts: [{ driver: 'nfs', mode: 'rw', shared: { volumeId: 'v' } }] }),
  ],
  ['an update', DesiredLRPUpdate, { instances: 3, routes: { a: [1] }, annotation: '' }],
  ['no update', DesiredLRPUpdate, {}],
  ['a task', TaskRequest, { taskGuid: 't', domain: 'd', definition: aTaskDefinition() }],
  ['a domain', DomainRequest, { ttlSeconds: 0 }],
  ['a new agent', PresenceRequest, { registration }],
  ['a known agent', PresenceRequest, { epoch: 4, registration: { ...registration, evacuating: true } }],
  ['a claim', CellReportsRequest, report(claim)],
  ['a start', CellReportsRequest, report({ ...claim, type: 'start', netInfo, routable: true })],
  [
    'a completion',
    CellReportsRequest,
    report({ type: 'complete-task', taskGuid: 't', failed: false, result: 'x' }),
  ],
];

const BAD: [string, Class, unknown][] = [
  ['no guid', DesiredLRPRequest, lrp({ processGuid: undefined })],
  ['a guid with a dot', DesiredLRPRequest, lrp({ processGuid: 'a.b' })],
  ['a guid of 256', DesiredLRPRequest, lrp({ processGuid: 'a'.repeat(256) })],
  ['an empty domain', DesiredLRPRequest, lrp({ domain: '' })],
  ['negative instances', DesiredLRPRequest, lrp({ instances: -1 })],
  ['too many instances', DesiredLRPRequest, lrp({ instances: LIMITS.instances + 1 })],
  ['half an instance', DesiredLRPRequest, lrp({ instances: 1.5 })],
  ['instances as text', DesiredLRPRequest, lrp({ instances: '1' })],
  ['null for a field that may be absent', DesiredLRPRequest, lrp({ maxPids: null })],
  ['an unknown field', DesiredLRPRequest, lrp({ replicas: 1 })],
  [
    'an unknown field further in',
    DesiredLRPRequest,
    lrp({ action: { run: { path: 'a', user: 'u', x: 1 } } }),
  ],
  ['no action', DesiredLRPRequest, lrp({ action: {} })],
  ['two actions', DesiredLRPRequest, lrp({ action: { ...aRunAction(), try: { action: aRunAction() } } })],
  ['an action in a list', DesiredLRPRequest, lrp({ action: [aRunAction()] })],
  ['no actions in parallel', DesiredLRPRequest, lrp({ action: { parallel: { actions: [] } } })],
  ['33 ports', DesiredLRPRequest, lrp({ ports: Array.from({ length: 33 }, (_, index) => index + 1) })],
  ['a port twice', DesiredLRPRequest, lrp({ ports: [80, 80] })],
  ['port 0', DesiredLRPRequest, lrp({ ports: [0] })],
  ['another strategy', DesiredLRPRequest, lrp({ updateStrategy: 'BLUE_GREEN' })],
  ['a long annotation', DesiredLRPRequest, lrp({ annotation: 'x'.repeat(10_241) })],
  ['half of the credentials', DesiredLRPRequest, lrp({ imageUsername: 'u' })],
  ['a tag of both kinds', DesiredLRPRequest, lrp({ metricTags: { a: { static: 'x', dynamic: 'INDEX' } } })],
  ['a tag of no kind', DesiredLRPRequest, lrp({ metricTags: { a: {} } })],
  ['another dynamic tag', DesiredLRPRequest, lrp({ metricTags: { a: { dynamic: 'HOST' } } })],
  ['routes in a list', DesiredLRPRequest, lrp({ routes: [] })],
  [
    'two kinds of volume',
    DesiredLRPRequest,
    lrp({
      volumeMounts: [{ driver: 'd', mode: 'r', shared: { volumeId: 'v' }, dedicated: { mounterId: 'm' } }],
    }),
  ],
  ['a process guid in an update', DesiredLRPUpdate, { processGuid: 'p' }],
  ['a task without definition', TaskRequest, { taskGuid: 't', domain: 'd' }],
  ['a ttl below 0', DomainRequest, { ttlSeconds: -1 }],
  ['a list', DomainRequest, [{ ttlSeconds: 1 }]],
  ['null', DomainRequest, null],
  ['no registration', PresenceRequest, { epoch: 1 }],
  ['a claim without index', CellReportsRequest, report({ ...claim, index: undefined })],
  ['a claim with a reason', CellReportsRequest, report({ ...claim, reason: 'x' })],
  ['an unknown report', CellReportsRequest, report({ ...claim, type: 'sleep' })],
  ['501 reports', CellReportsRequest, report(...Array.from({ length: 501 }, () => claim))],
];

describe('the schemas of requests', () => {
  it.each(GOOD)('accept %s, as the server does', (_what, type, body) => {
    expect(isParsed(type, body)).toBe(true);
    expect(isValid(type, body)).toBe(true);
  });

  it.each(BAD)('refuse %s, as the server does', (_what, type, body) => {
    expect(isParsed(type, body)).toBe(false);
    expect(isValid(type, body)).toBe(false);
  });

  it('never refuse what the server accepts', () => {
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom(0, -1, 2 ** 31, '', 'a', [], {}, ['a'], [1, 1]),
    );
    const change = fc.record({ good: fc.constantFrom(...GOOD), place: fc.nat(), value });
    fc.assert(
      fc.property(change, ({ good: [, type, body], place, value }) => {
        const changed = withChange(body, place, value);
        if (isParsed(type, changed)) expect([changed, isValid(type, changed)]).toEqual([changed, true]);
      }),
      { numRuns: 1_000 },
    );
  });
});

/** The body with another value in one of its places. */
function withChange(body: object, place: number, value: unknown): unknown {
  const copy = structuredClone(body) as Record<string, unknown>;
  const places: [Record<string, unknown>, string][] = [];
  const visit = (owner: unknown): void => {
    if (typeof owner !== 'object' || owner === null) return;
    for (const key of Object.keys(owner)) {
      places.push([owner as Record<string, unknown>, key]);
      visit((owner as Record<string, unknown>)[key]);
    }
  };
  visit(copy);
  const chosen = places[place % Math.max(1, places.length)];
  if (chosen !== undefined) chosen[0][chosen[1]] = value;
  return copy;
}
