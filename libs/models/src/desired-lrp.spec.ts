import { aDesiredLRP, aRealisticDesiredLRP, aTag, aTaskDefinition } from '#test/builders.js';
import {
  DesiredLRPRequest,
  TaskDefinition,
  definitionVolumeDrivers,
  joinDesiredLRP,
  parse,
  splitDesiredLRP,
} from './index.js';

const mount = (driver: string) => ({ driver, mode: 'rw' as const, shared: { volumeId: 'v' } });

describe('splitDesiredLRP and joinDesiredLRP', () => {
  const modificationTag = aTag();

  it('lose nothing', () => {
    const request = aRealisticDesiredLRP();
    const { schedulingInfo, runInfo } = splitDesiredLRP(request, modificationTag);
    expect(joinDesiredLRP(schedulingInfo, runInfo)).toEqual({ ...request, portCount: 2, modificationTag });
  });

  it('put every field a request can have into exactly one half', () => {
    const everyField = Object.fromEntries(
      Object.keys(new DesiredLRPRequest()).map((field) => [field, field]),
    );
    const request = Object.assign(new DesiredLRPRequest(), everyField, { volumeMounts: [], ports: [] });
    const { schedulingInfo, runInfo } = splitDesiredLRP(request);
    expect([...Object.keys(schedulingInfo), ...Object.keys(runInfo)].toSorted()).toEqual(
      Object.keys(everyField).toSorted(),
    );
  });

  it('leave out what is not set', () => {
    const { schedulingInfo, runInfo } = splitDesiredLRP(parse(DesiredLRPRequest, aDesiredLRP()));
    expect(Object.keys(runInfo)).toEqual(['action']);
    expect(Object.keys(schedulingInfo)).toEqual([
      'processGuid',
      'domain',
      'instances',
      'rootfs',
      'memoryMb',
      'diskMb',
    ]);
  });

  it('keep credentials and actions out of the scheduling half', () => {
    const { schedulingInfo } = splitDesiredLRP(
      aRealisticDesiredLRP({ imageUsername: 'u', imagePassword: 'p' }),
    );
    expect(schedulingInfo).not.toHaveProperty('imagePassword');
    expect(schedulingInfo).not.toHaveProperty('action');
  });

  it('derive the volume drivers', () => {
    const request = aDesiredLRP({ volumeMounts: [mount('smb'), mount('nfs'), mount('smb')] });
    expect(splitDesiredLRP(request).schedulingInfo.volumeDrivers).toEqual(['nfs', 'smb']);
  });

  it('derive how many ports of its cell an instance takes', () => {
    expect(splitDesiredLRP(aDesiredLRP({ ports: [8080, 2222] })).schedulingInfo.portCount).toBe(2);
    expect(splitDesiredLRP(aDesiredLRP()).schedulingInfo).not.toHaveProperty('portCount');
  });

  it('give the scheduling information the say on the tag', () => {
    const { schedulingInfo, runInfo } = splitDesiredLRP(aDesiredLRP(), modificationTag);
    const stored = { ...runInfo, modificationTag: aTag({ index: 7 }) };
    expect(joinDesiredLRP(schedulingInfo, stored).modificationTag).toEqual(modificationTag);
  });
});

describe('definitionVolumeDrivers', () => {
  it('names each driver of a task once', () => {
    expect(definitionVolumeDrivers(aTaskDefinition())).toEqual([]);
    const definition = parse(
      TaskDefinition,
      aTaskDefinition({ volumeMounts: [mount('b'), mount('a'), mount('b')] }),
    );
    expect(definitionVolumeDrivers(definition)).toEqual(['a', 'b']);
  });
});
