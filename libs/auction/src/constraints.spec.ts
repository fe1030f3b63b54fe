import {
  firstMismatch,
  leftOfSomething,
  matchesPlacementTags,
  matchesRootfs,
  matchesVolumeDrivers,
  parseRootfs,
  shortages,
} from './constraints.js';

describe('parseRootfs', () => {
  it.each([
    ['preloaded:cflinuxfs4', { scheme: 'preloaded', opaque: 'cflinuxfs4' }],
    ['PRELOADED:cflinuxfs4', { scheme: 'preloaded', opaque: 'cflinuxfs4' }],
    ['preloaded+layer:cflinuxfs4?layer=x#y', { scheme: 'preloaded+layer', opaque: 'cflinuxfs4' }],
    ['preloaded:/cflinuxfs4', { scheme: 'preloaded' }],
    ['docker:///busybox#latest', { scheme: 'docker' }],
    ['docker://registry.example.com:5000/team/image', { scheme: 'docker' }],
  ])('reads %s', (text, url) => expect(parseRootfs(text)).toEqual(url));

  it.each(['', 'cflinuxfs4', ':cflinuxfs4', '1x:y', 'docker:///a%zz', 'docker:///a\nb', 'docker://[::1/x'])(
    'cannot read %j',
    (text) => expect(parseRootfs(text)).toBeUndefined(),
  );
});

const matches = (rootfs: string) =>
  matchesRootfs(
    [{ scheme: 'preloaded', stacks: ['linux', 'windows'] }, { scheme: 'docker' }],
    parseRootfs(rootfs),
  );

describe('matchesRootfs', () => {
  it.each(['preloaded:linux', 'preloaded:windows', 'preloaded:linux?x=y', 'docker:///any', 'docker:any'])(
    'accepts %s',
    (rootfs) => expect(matches(rootfs)).toBe(true),
  );

  it.each(['preloaded:other', 'preloaded:/linux', 'preloaded://linux', 'oci:linux', 'linux'])(
    'refuses %s',
    (rootfs) => expect(matches(rootfs)).toBe(false),
  );
});

it('wants every requested volume driver, and none when none is requested', () => {
  expect(matchesVolumeDrivers(['a', 'b'], ['b', 'a'])).toBe(true);
  expect(matchesVolumeDrivers(['a'], ['a', 'b'])).toBe(false);
  expect(matchesVolumeDrivers([], [])).toBe(true);
});

it('treats absent tags as none', () => {
  expect(matchesPlacementTags({}, [])).toBe(true);
  expect(matchesPlacementTags({}, ['a'])).toBe(false);
});

it('names only the first constraint a cell fails', () => {
  const capacity = { memoryMb: 1, diskMb: 1, containers: 1 };
  const cell = { cellId: 'c', zone: 'z', capacity, rootfsProviders: [{ scheme: 'docker' }] };
  const asked = { memoryMb: 9, diskMb: 9, volumeDrivers: ['d'], placementTags: ['t'] };
  const mismatch = (offer: object, rootfs: string) =>
    firstMismatch({ ...cell, ...offer }, { ...asked, rootfs }, parseRootfs(rootfs));

  expect(mismatch({}, 'oci:x')).toBe('rootfs');
  expect(mismatch({}, 'docker:x')).toBe('volume-drivers');
  expect(mismatch({ volumeDrivers: ['d'] }, 'docker:x')).toBe('placement-tags');
  expect(mismatch({ volumeDrivers: ['d'], placementTags: ['t'] }, 'docker:x')).toBeUndefined();
});

it('lists shortages alphabetically; exactly enough is enough', () => {
  const left = { memoryMb: 10, diskMb: 20, containers: 1 };
  expect(shortages(left, { memoryMb: 10, diskMb: 20 })).toEqual([]);
  expect(shortages(left, { memoryMb: 11, diskMb: 20 })).toEqual(['memory']);
  expect(shortages({ ...left, containers: 0 }, { memoryMb: 11, diskMb: 21 })).toEqual([
    'containers',
    'disk',
    'memory',
  ]);
});

it('takes a capacity of 0 for too little even of nothing', () => {
  const capacity = { memoryMb: 0, diskMb: 5, containers: 1 };
  expect(shortages(capacity, { memoryMb: 0, diskMb: 0 })).toEqual([]);
  expect(shortages(leftOfSomething(capacity, capacity), { memoryMb: 0, diskMb: 0 })).toEqual(['memory']);
});
