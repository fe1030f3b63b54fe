import type { ActualLRP, ActualLRPInstanceKey, Placement } from '#rivera/models';
import { isInstance, unclaimedActual } from './actual-lrp-records.js';
import type { Transition } from './change.js';
import type { Context } from './context.js';
import { isWanted } from './instance.js';
import { instanceOf, type ProcessSnapshot } from './process.js';

/**
 * The rebalancer moves a RUNNING instance to a better cell: it goes on running as EVACUATING while its replacement, given
 * to that cell at once, starts. When the replacement runs, the old copy goes. Until `deadline` that has to happen;
 * otherwise, or when the cell refuses it or it crashes, the old copy is ORDINARY again (`returnHome`): nothing had
 * to move. Somebody was faster, or the process is not settled: no change.
 */
export function moveInstance(
  process: ProcessSnapshot,
  index: number,
  from: ActualLRPInstanceKey,
  { placement, deadline }: { placement: Placement; deadline: number },
  context: Context,
): Transition {
  const { desired, ordinary } = instanceOf(process, index);
  if (desired === undefined || !isInstance(ordinary, from) || !isSettled(process)) return [];
  const leaving: ActualLRP = {
    ...ordinary,
    presence: 'EVACUATING',
    expiresAt: deadline,
    moving: true,
    modificationTag: { epoch: context.newGuid(), index: 0 },
  };
  const replacement: ActualLRP = { ...unclaimedActual(desired, index, context), placement };
  return [
    { kind: 'actual', after: leaving },
    { kind: 'actual', before: ordinary, after: replacement },
  ];
}

/**
 * Exactly the desired instances run, none is on its way, and a second copy of one may run for a moment: one of them may
 * be moved without there ever being too few.
 */
export function isSettled({ desired, actuals }: ProcessSnapshot): boolean {
  return (
    desired !== undefined &&
    desired.updateStrategy !== 'RECREATE' &&
    actuals.length === desired.instances &&
    actuals.every(
      ({ presence, state, stopping, index }) =>
        presence === 'ORDINARY' && state === 'RUNNING' && !stopping && isWanted(desired, index),
    )
  );
}
