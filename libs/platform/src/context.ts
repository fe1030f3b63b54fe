import type { Context } from '#rivera/lifecycle';

import type { Clock } from './clock.js';
import type { Ids } from './ids.js';

/** What the lifecycle rules may know of the outside world, at this moment. */
export function contextOf(clock: Clock, ids: Ids): Context {
  return { now: clock.now(), newGuid: () => ids.uuid() };
}
