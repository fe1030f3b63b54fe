import type { RiveraEvent } from '#rivera/models';
import { keyedRecord } from './event-messages.js';

/**
 * Which events a stream of LRPs with a cell id tells (Diego BBS §1.5): those of instances that the cell holds, and all of
 * desired LRPs. Without a cell id, all.
 */
export function isOfCell(event: RiveraEvent, cellId: string): boolean {
  if (cellId === '') return true;
  switch (event.type) {
    case 'actual_lrp_created':
      return event.after.cellId === cellId;
    case 'actual_lrp_removed':
    case 'actual_lrp_crashed':
      return event.before.cellId === cellId;
    case 'actual_lrp_changed':
      return keyedRecord(event).cellId === cellId;
    default:
      return true;
  }
}
