import { IsInteger, IsName } from './validation/rules.js';

/**
 * Orders what a client sees of one record (Diego BBS, ModificationTag). `epoch` is a fresh UUID each time the record is
 * created; `index` starts at 0 and grows by one with every change. It is also the compare-and-set version in the store.
 *
 * Same epoch: the larger index is newer. Different epoch: the record was removed and created again.
 */
export class ModificationTag {
  @IsName()
  epoch: string;

  @IsInteger({ min: 0, max: Number.MAX_SAFE_INTEGER })
  index: number;
}
