import type { Cell, PortableRecord } from '#rivera/models';
import { changedCell } from './cell.js';
import type { Transition } from './change.js';

/** What an operator wanted of a cell when it was exported; what is wanted of it now goes before. */
export function restoreCell(before: Cell | undefined, exported: Cell): Transition {
  if (before === undefined) return [{ kind: 'cell', after: exported }];
  const { cordoned, drain } = exported;
  if (!cordoned || before.cordoned) return [];
  return changedCell(before, { cordoned, drain });
}

/**
 * Records of an export take their places as they were, tags included, where there is nothing yet. What they were true of
 * may be gone meanwhile: that is for the cells and the converger to find out, as after any silence.
 */
export function restoreRecords(
  records: readonly Exclude<PortableRecord, { kind: 'cell' }>[],
  isThere: (record: PortableRecord) => boolean,
): Transition {
  return records.flatMap((portable): Transition => {
    if (isThere(portable)) return [];
    const { kind, record: after } = portable;
    const change = { kind, after } as Transition[number];
    return kind === 'desired' ? [change, { kind: 'run', after: portable.run }] : [change];
  });
}
