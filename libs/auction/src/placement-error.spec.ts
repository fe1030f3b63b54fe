import { noCells, placementErrorText, startLimitReached, summarize } from './placement-error.js';
import type { CellVerdict } from './types.js';

function verdict(said: Pick<CellVerdict, 'mismatch'> & Partial<CellVerdict>): CellVerdict {
  return {
    cellId: 'c',
    zone: 'z',
    short: [],
    refused: false,
    zoneInstances: 0,
    instances: 0,
    tieRank: 0,
    ...said,
  };
}
const mismatch = (what: CellVerdict['mismatch']) => verdict({ mismatch: what });
const short = (...resources: CellVerdict['short']) => verdict({ mismatch: undefined, short: resources });
const text = (...verdicts: CellVerdict[]) => placementErrorText(summarize(verdicts), ['t']);

it('names the furthest constraint any cell failed at', () => {
  expect(text(mismatch('rootfs'))).toBe('found no compatible cell for required rootfs');
  expect(text(mismatch('volume-drivers'), mismatch('rootfs'))).toBe(
    'found no compatible cell with required volume drivers',
  );
  expect(text(mismatch('placement-tags'), mismatch('rootfs'), mismatch('volume-drivers'))).toBe(
    'found no compatible cell with placement tag "t"',
  );
  expect(text(mismatch('placement-tags'), short('disk'))).toBe('insufficient resources: disk');
});

it('names the resources every matching cell is short of', () => {
  expect(text(short('containers', 'disk', 'memory'))).toBe(
    'insufficient resources: containers, disk, memory',
  );
  expect(text(short('disk', 'memory'), short('memory'), mismatch('rootfs'))).toBe(
    'insufficient resources: memory',
  );
  expect(text(short('disk'), short('memory'))).toBe('insufficient resources');
});

it('has a text when nothing was looked at', () => {
  expect(placementErrorText(noCells())).toBe('unable to communicate to compatible cells');
  expect(placementErrorText(startLimitReached())).toBe(
    'waiting to start instance: reached in-flight start limit',
  );
});

it('counts what every cell said', () => {
  expect(summarize([mismatch('rootfs'), mismatch('rootfs'), short('disk', 'memory'), short('disk')])).toEqual(
    {
      reason: 'resources',
      cells: 4,
      mismatched: { rootfs: 2, 'volume-drivers': 0, 'placement-tags': 0 },
      full: 2,
      short: { containers: 0, disk: 2, memory: 1 },
    },
  );
});
