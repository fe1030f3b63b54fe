import { fc, test } from '@fast-check/vitest';
import * as wire from '#rivera/diego-wire';
import { DesiredLRPRequest, parse, TaskRequest } from '#rivera/models';
import { aDesiredLRP, aRealisticDesiredLRP, aTaskDefinition } from '#test/builders.js';
import { messageOf, recordOf } from './records.js';

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

describe('records over the wire', () => {
  const { restartPolicy: _noField, ...realistic } = aRealisticDesiredLRP();

  it.each([
    ['a realistic desired LRP', realistic],
    ['a small one', aDesiredLRP()],
    ['one with the rest', { ...aDesiredLRP(), ...MORE }],
  ])('%s comes back as it was, and is a valid request', (_, record) => {
    const back = returned(wire.DesiredLRP, record);
    expect(back).toEqual(record);
    expect(parse(DesiredLRPRequest, back)).toBeInstanceOf(DesiredLRPRequest);
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
    expect(parse(TaskRequest, request)).toBeInstanceOf(TaskRequest);
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
