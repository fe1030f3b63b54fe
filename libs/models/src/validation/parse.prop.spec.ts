import * as fc from 'fast-check';
import { aRealisticDesiredLRP } from '#test/builders.js';
import {
  Action,
  ActualLRPNetInfo,
  CellRegistration,
  CellReportsRequest,
  DesiredLRPRequest,
  DesiredLRPUpdate,
  DomainRequest,
  ModificationTag,
  PresenceRequest,
  RestartPolicy,
  RiveraError,
  TaskDefinition,
  TaskRequest,
  parse,
} from '../index.js';

const CLASSES: [string, new () => object][] = [
  Action,
  ActualLRPNetInfo,
  CellRegistration,
  CellReportsRequest,
  DesiredLRPRequest,
  DesiredLRPUpdate,
  DomainRequest,
  ModificationTag,
  PresenceRequest,
  RestartPolicy,
  TaskDefinition,
  TaskRequest,
].map((type) => [type.name, type]);

const anything = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withObjectString: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
});

/** True when accepted; anything thrown but the one error fails the test. */
function isAccepted(type: new () => object, input: unknown): boolean {
  try {
    parse(type, input);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(RiveraError);
    if (!(error instanceof RiveraError)) throw error;
    expect(error.code).toBe('invalid-request');
    expect(error.details.fields?.length).toBeGreaterThan(0);
    return false;
  }
}

/** Every object and list within a value, and the value itself. */
function containers(value: unknown): object[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value, ...Object.values(value).flatMap(containers)];
}

describe('parse never throws anything but invalid-request', () => {
  describe.each(CLASSES)('%s', (_name, type) => {
    it('for anything', () => {
      fc.assert(fc.property(anything, (input) => void isAccepted(type, input)));
    });

    it('for any JSON', () => {
      fc.assert(fc.property(fc.jsonValue({ maxDepth: 6 }), (input) => void isAccepted(type, input)));
    });

    it('for its own fields with anything in them', () => {
      const record = fc.dictionary(fc.constantFrom(...Object.keys(new type())), anything);
      fc.assert(fc.property(record, (input) => void isAccepted(type, input)));
    });
  });

  it('for a realistic request with anything put anywhere', () => {
    fc.assert(
      fc.property(anything, fc.nat(), fc.nat(), (value, pick, key) => {
        const request = aRealisticDesiredLRP();
        const places = containers(request);
        const place = places[pick % places.length] ?? request;
        const keys = Object.keys(place);
        Object.assign(place, { [keys[key % keys.length] ?? 'x']: value });
        isAccepted(DesiredLRPRequest, request);
      }),
      { numRuns: 300 },
    );
  });

  it('and does not change its input', () => {
    const request = aRealisticDesiredLRP();
    const before = structuredClone(request);
    parse(DesiredLRPRequest, request);
    expect(request).toEqual(before);
  });
});
