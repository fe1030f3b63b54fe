import { type History, type InstanceStory, slotOf } from './history.js';

/** One container's program from start to end, as the engine has it. Times are milliseconds since the Unix epoch. */
export interface EngineRun {
  /** Instance guid or task guid. */
  handle: string;
  cellId: string;
  startedMs: number;
  /** Absent while it runs. */
  endedMs?: number;
  /** Absent when nobody can know it any more. */
  exitStatus?: number;
}

/** What ran and should not have, by what the event log tells: strangers, tasks run twice, instances beside each other. */
export function runViolations(history: History, runs: readonly EngineRun[]): string[] {
  return [
    ...strangers(history, runs),
    ...tasksRunTwice(history, runs),
    ...resultsThatDiffer(history, runs),
    ...overlaps(history, runs),
  ];
}

function strangers({ instances, taskStories }: History, runs: readonly EngineRun[]): string[] {
  return runs.flatMap(({ handle, cellId }) => {
    const story = instances.get(handle);
    if (story === undefined && !taskStories.has(handle))
      return [`nobody gave ${cellId} the container ${handle}`];
    if (story === undefined || story.cellId === cellId) return [];
    return [`${cellId} ran ${handle}, which ${story.cellId} had claimed`];
  });
}

function tasksRunTwice({ taskStories }: History, runs: readonly EngineRun[]): string[] {
  const byTask = new Map<string, EngineRun[]>();
  for (const run of runs) {
    if (taskStories.has(run.handle)) byTask.set(run.handle, [...(byTask.get(run.handle) ?? []), run]);
  }
  return [...byTask].flatMap(([guid, all]) =>
    all.length > 1 ? [`task ${guid} ran ${all.length} times: ${all.map(inWords).join('; ')}`] : [],
  );
}

function inWords({ cellId, startedMs, endedMs, exitStatus }: EngineRun): string {
  const end =
    endedMs === undefined ? 'now' : `${new Date(endedMs).toISOString()} (${exitStatus ?? 'unknown'})`;
  return `on ${cellId} from ${new Date(startedMs).toISOString()} to ${end}`;
}

/** A task counts as done only if its program ran and said so. */
function resultsThatDiffer({ taskStories }: History, runs: readonly EngineRun[]): string[] {
  const byHandle = new Map(runs.map((run) => [run.handle, run]));
  return [...taskStories].flatMap(([guid, { results }]) => {
    const [result] = results;
    if (result === undefined || result.failed) return [];
    const run = byHandle.get(guid);
    if (run === undefined) return [`task ${guid} succeeded without having run`];
    if ((run.exitStatus ?? 0) === 0) return [];
    return [`task ${guid} succeeded although it ended with ${run.exitStatus}`];
  });
}

/**
 * Two containers of one index at the same time are allowed only where one of them was SUSPECT or EVACUATING before the
 * other started, or was on a cell that was MISSING or gave up its work meanwhile.
 */
function overlaps(history: History, runs: readonly EngineRun[]): string[] {
  const bySlot = new Map<string, { run: EngineRun; story: InstanceStory }[]>();
  for (const run of runs) {
    const story = history.instances.get(run.handle);
    if (story === undefined) continue;
    const slot = slotOf(story);
    const others = bySlot.get(slot);
    if (others === undefined) bySlot.set(slot, [{ run, story }]);
    else others.push({ run, story });
  }
  return [...bySlot].flatMap(([slot, all]) => {
    const inOrder = all.toSorted((a, b) => a.run.startedMs - b.run.startedMs);
    return inOrder.flatMap((earlier, at) =>
      inOrder.slice(at + 1).flatMap((later) => {
        const fromMs = later.run.startedMs;
        if ((earlier.run.endedMs ?? Infinity) <= fromMs) return [];
        if (mayGo(history, earlier, fromMs) || mayGo(history, later, fromMs)) return [];
        const ms = Math.round(
          Math.min(earlier.run.endedMs ?? Date.now(), later.run.endedMs ?? Date.now()) - fromMs,
        );
        const [first, second] = [earlier, later].map(
          ({ run, story }) => `${run.handle} ${inWords(run)}, ${story.told.join(', ')}`,
        );
        return [`${slot} ran twice for ${ms} ms from ${new Date(fromMs).toISOString()}: ${first}, ${second}`];
      }),
    );
  });
}

function mayGo(
  history: History,
  { run, story }: { run: EngineRun; story: InstanceStory },
  atMs: number,
): boolean {
  if ((story.leftOrdinaryMs ?? Infinity) <= atMs) return true;
  return history.wasInTrouble(run.cellId, run.startedMs, atMs);
}
