import { type ActualLRP, notFound, RiveraError } from '#rivera/models';
import type { Principal } from '#rivera/platform';
import { requireVisible } from '../http/ownership.js';
import type { InstanceParams } from '../http/params.js';
import { isPlaced, type PlacedInstance } from '../sessions/runs.js';

/** Of several records of one index, the one that serves. */
const PREFERENCE: readonly ActualLRP['presence'][] = ['ORDINARY', 'EVACUATING', 'SUSPECT'];

/**
 * The record of the instance that can be entered, RUNNING if there is one.
 *
 * @throws RiveraError `not-found`; `invalid-state-transition` when no cell has it now
 */
export function enterableInstance(
  actuals: ActualLRP[],
  { processGuid, index }: InstanceParams,
  user: Principal,
): PlacedInstance {
  const id = `${processGuid}/${index}`;
  const records = actuals
    .filter((actual) => actual.index === index)
    .toSorted((a, b) => PREFERENCE.indexOf(a.presence) - PREFERENCE.indexOf(b.presence));
  const [first] = records;
  requireVisible(user, first, 'actual LRP', id);
  if (first === undefined) throw notFound('actual LRP', id);
  const placed = records.filter(isPlaced);
  const found = placed.find(({ state }) => state === 'RUNNING') ?? placed[0];
  if (found !== undefined) return found;
  throw new RiveraError(
    'invalid-state-transition',
    `The instance ${id} is ${first.state}: no cell has it now. Wait until it is RUNNING.`,
  );
}
