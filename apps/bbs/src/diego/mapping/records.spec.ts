import { fc, test } from '@fast-check/vitest';
import * as wire from '#rivera/diego-wire';
import { DesiredLRPRequest, parse, TaskRequest } from '#rivera/models';
import { aDesiredLRP, aRealisticDesiredLRP, aTaskDefinition } from '#test/builders.js';
import { encodedRecord, messageOf, recordOf } from './records.js';

/** Through the wire and back. */
function returned(codec: wire.Codec<object>, record: object): object {
  return recordOf(codec.name, codec.decode(codec.encode(messageOf(codec.name, record))));
}

/** Fields with every kind of zero, list, map, enumeration and message in them. */
const MORE = {
  updateStrategy: 'RECREATE',
  privileged: true,
  memoryMb: 0,
  diskMb: 0,
  instances: 0,
  logRateLimit: { bytesPerSecond: 0 },
  environmentVariables: [{ name: 'EMPTY', value: '' }],
  legacyDownloadUser: 'vcap',
  imageUsername: 'name',
  imagePassword: 'secret',
  metricsGuid: 'me',
  metricTags: { source_id: { static: 'me' }, i: { dynamic: 'INSTANCE_GUID' } },
  imageLayers: [
    {
      url: 'https://x/1',
      destinationPath: '/1',
      layerType: 'EXCLUSIVE',
      mediaType: 'ZIP',
      digestAlgorithm: 'SHA512',
      digestValue: 'd',
    },
  ],
  volumeMounts: [
    { driver: 'nfs', mode: 'rw', containerDir: '/a', shared: { volumeId: 'v', mountConfig: '{}' } },
    { driver: 'iscsi', mode: 'r', dedicated: { mounterId: 'm', deviceConfig: '{}' } },
  ],
  volumeMountedFiles: [{ path: 'a/b', content: '' }],
  egressRules: [{ protocol: 'icmp', destinations: ['1.1.1.1'], icmpInfo: { type: 0, code: 0 } }],
  action: {
    timeout: {
      timeoutMs: 5,
      action: {
        emitProgress: {
          startMessage: 's',
          action: { try: { action: { upload: { from: 'f', to: 'https://x', user: 'u' } } } },
        },
      },
    },
  },
} as const;

/** JavaScript has names that are numbers first, wherever they were put. */
const aKey = fc.string().map((name) => `k${name}`);

describe('records over the wire', () => {
  const { restartPolicy: _noField, ...realistic } = aRealisticDesiredLRP();

  it.each([
    ['a realistic desired LRP', realistic],
    ['a small one', aDesiredLRP()],
    ['one with the rest', { ...aDesiredLRP(), ...MORE }],
  ])('%s comes back as it was, and is a valid request', (_, record) => {
    const back = returned(wire.DesiredLRP, record);
    expect(back).toEqual(record);
    expect(parse(DesiredLRPRequest, back)).toEqual(record);
  });

  it.each([
    ['a realistic desired LRP', realistic],
    ['a small one', aDesiredLRP()],
    ['one with the rest', { ...aDesiredLRP(), ...MORE }],
    ['an empty one', {}],
    ['one with nothing in it', { routes: {}, metricTags: {}, ports: [], action: {}, annotation: '' }],
    [
      'one with numbers of every size',
      { instances: -1, ports: [0, 127, 128, 65_535], startTimeoutMs: 2 ** 52 },
    ],
    [
      'one with texts of every size',
      { annotation: 'ä€😀', domain: 'x'.repeat(40_000), logGuid: 'é'.repeat(99) },
    ],
  ])('%s is written at once as the library writes it in two steps', (_, record) => {
    const written = encodedRecord('DesiredLRP', record);
    expect(written.toString('hex')).toBe(
      wire.DesiredLRP.encode(messageOf('DesiredLRP', record)).toString('hex'),
    );
    const { action, annotation, ...rest } = { action: undefined, annotation: undefined, ...record };
    expect(encodedRecord('DesiredLRP', { annotation }, { action }, rest)).toEqual(written);
  });

  test.prop([
    fc.record({
      network: fc.record({
        properties: fc.dictionary(aKey, fc.string({ unit: 'binary' })),
      }),
      instances: fc.integer(),
      cpuWeight: fc.nat(),
      startTimeoutMs: fc.maxSafeInteger(),
      logRateLimit: fc.record({ bytesPerSecond: fc.maxSafeInteger() }),
      placementTags: fc.array(fc.string({ unit: 'binary' })),
      routes: fc.dictionary(aKey, fc.jsonValue(), { maxKeys: 3 }),
      privileged: fc.boolean(),
      action: fc.record({
        serial: fc.record({ actions: fc.array(fc.constant({ run: { path: 'p', user: 'u' } })) }),
      }),
    }),
  ])('whatever a record is, it is written as the library writes it', (record) => {
    expect(encodedRecord('DesiredLRP', record)).toEqual(
      wire.DesiredLRP.encode(messageOf('DesiredLRP', record)),
    );
  });

  it('a record that cannot be written does not spoil the next one', () => {
    expect(() => encodedRecord('DesiredLRP', { domain: 'd', annotation: 5 })).toThrow(TypeError);
    expect(encodedRecord('DesiredLRP', { domain: 'd' }).toString('hex')).toBe('120164');
  });

  it('so does a task', () => {
    const { updateStrategy: _strategy, instances: _instances, ...more } = MORE;
    const definition = {
      ...aTaskDefinition(),
      ...more,
      resultFile: '/r',
      completionCallbackUrl: 'https://x/done',
    };
    const back = returned(wire.TaskDefinition, definition);
    expect(back).toEqual(definition);
    const request = { taskGuid: 'g', domain: 'd', definition: back };
    expect(parse(TaskRequest, request)).toEqual(request);
  });

  it('every field that a request may have has one on the wire, but for the restart policy', () => {
    const names = new Set(Object.keys({ ...realistic, ...MORE, setup: 1, monitor: 1, sidecars: 1 }));
    for (const name of names) expect([name, returnedNames(name)]).toEqual([name, true]);
  });

  test.prop([fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), fc.jsonValue(), { maxKeys: 5 })])(
    'routes are whatever JSON they are',
    (routes) => {
      const written = wire.ProtoRoutes.encode(messageOf('ProtoRoutes', routes));
      const back = recordOf('ProtoRoutes', wire.ProtoRoutes.decode(written));
      expect(JSON.parse(JSON.stringify(back))).toEqual(JSON.parse(JSON.stringify(routes)));
    },
  );

  it('of an action with several members the first counts', () => {
    const action = { tryAction: { action: {} }, runAction: { path: 'p', user: 'u' } };
    expect(recordOf('Action', wire.Action.decode(wire.Action.encode(action)))).toEqual({
      run: { path: 'p', user: 'u' },
    });
  });

  it('a number that no enumeration has is left to the rules', () => {
    const decoded = wire.MetricTagValue.decode(Buffer.from('1009', 'hex'));
    expect(recordOf('MetricTagValue', decoded)).toEqual({ dynamic: 9 });
  });

  function returnedNames(name: string): boolean {
    return wire.fieldsOf('DesiredLRP').some((field) => field.name === (name === 'rootfs' ? 'rootFs' : name));
  }
});
