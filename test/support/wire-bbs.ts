import { DiegoListeners } from '../../apps/bbs/src/diego/diego-listeners.js';
import type { BbsHarness } from './bbs.js';

/** For `startBbs`: Diego's API in plain text, on a port that the system chooses. */
export const WIRE_ENV = { DIEGO_WIRE_LISTEN: '127.0.0.1:0' };

export function wirePort(bbs: BbsHarness): number {
  return diegoPorts(bbs).wire!;
}

export function diegoPorts(bbs: BbsHarness): DiegoListeners['ports'] {
  return bbs.app.get(DiegoListeners).ports;
}
