import { type History, slotOf } from './history.js';
import type { EngineRun } from './runs.js';

/** A container of a cell, whether or not anything runs in it. */
export interface EngineContainer {
  handle: string;
  cellId: string;
}

/** How far everything is from what is desired, in words; empty when it is as it shall be. */
export function drift(
  history: History,
  engine: { containers: readonly EngineContainer[]; running: readonly EngineRun[] },
): string[] {
  return [...recordDrift(history), ...containersAndRecords(history, engine)];
}

/** The same as far as records tell. */
export function recordDrift(history: History): string[] {
  return [...desiredAndActual(history), ...unfinishedTasks(history)];
}

function desiredAndActual({ desired, actuals }: History): string[] {
  const running = new Set<string>();
  const strange: string[] = [];
  for (const actual of actuals.values()) {
    const { state, presence, stopping, processGuid, index } = actual;
    const slot = slotOf(actual);
    if (index >= (desired.get(processGuid)?.instances ?? 0)) strange.push(`${slot} is ${state}, not desired`);
    else if (presence !== 'ORDINARY') strange.push(`${slot} is ${presence}`);
    else if (state === 'RUNNING' && !stopping) running.add(slot);
    else strange.push(`${slot} is ${state}${stopping ? ', stopping' : ''}${actual.placementError ?? ''}`);
  }
  const known = new Set([...actuals.values()].map(slotOf));
  const missing = [...desired.values()].flatMap(({ processGuid, instances }) =>
    Array.from({ length: instances }, (_, index) => slotOf({ processGuid, index })).filter(
      (slot) => !running.has(slot) && !known.has(slot),
    ),
  );
  return [...strange, ...missing.map((slot) => `${slot} does not exist`)];
}

function unfinishedTasks({ tasks }: History): string[] {
  return [...tasks.values()].flatMap(({ taskGuid, state, cellId }) =>
    state === 'PENDING' || state === 'RUNNING'
      ? [`task ${taskGuid} is ${state} on ${cellId ?? 'no cell'}`]
      : [],
  );
}

function containersAndRecords(
  { actuals }: History,
  { containers, running }: { containers: readonly EngineContainer[]; running: readonly EngineRun[] },
): string[] {
  const name = ({ cellId, handle }: EngineContainer): string => `${handle} on ${cellId}`;
  const wanted = new Set<string>();
  for (const { instanceGuid, cellId } of actuals.values()) {
    if (instanceGuid !== undefined && cellId !== undefined)
      wanted.add(name({ handle: instanceGuid, cellId }));
  }
  const there = containers.map(name);
  const alive = new Set(running.map(name));
  return [
    ...there.filter((one) => !wanted.has(one)).map((one) => `the container ${one} has no record`),
    ...[...wanted]
      .filter((one) => !alive.has(one))
      .map((one) => `the instance ${one} has no running container`),
    ...there.filter((one, at) => there.indexOf(one) !== at).map((one) => `the container ${one} exists twice`),
  ];
}
