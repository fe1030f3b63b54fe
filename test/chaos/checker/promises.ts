import type { History } from './history.js';

/** How many instances a process may be desired with; `undefined` is "not desired". */
export type Outcome = number | undefined;

/** What clients were told, and what therefore must be so. */
export class Promises {
  /** By process guid, what it may be by everything that was acknowledged; several when a call was not answered. */
  readonly desired = new Map<string, Outcome[]>();
  /** Every acknowledged write of a desired LRP, by the annotation it wrote. */
  readonly writes: { processGuid: string; annotation: string }[] = [];
  /** Tasks whose desire was acknowledged. */
  readonly tasks = new Set<string>();
  /** Tasks whose desire was not answered: they may be there. */
  readonly doubtfulTasks = new Set<string>();
  readonly cancelled = new Set<string>();
  calls = 0;
  unanswered = 0;
  refused = 0;
}

/** What was acknowledged and is not so, by the event log. */
export function brokenPromises(history: History, promises: Promises): string[] {
  return [
    ...writesThatWereLost(history, promises),
    ...desiredOtherwise(history, promises),
    ...tasksThatWereLost(history, promises),
  ];
}

function writesThatWereLost({ annotations }: History, { writes }: Promises): string[] {
  return writes.flatMap(({ processGuid, annotation }) =>
    annotations.get(processGuid)?.has(annotation)
      ? []
      : [`the acknowledged write ${annotation} of ${processGuid} never happened`],
  );
}

function desiredOtherwise(history: History, { desired }: Promises): string[] {
  const wrong = [...desired].flatMap(([guid, allowed]) => {
    const instances = history.desired.get(guid)?.instances;
    if (allowed.includes(instances)) return [];
    return [`${guid} is desired ${instances} times, may be ${allowed.map(String).join(' or ')}`];
  });
  const strange = [...history.desired.keys()].filter((guid) => !desired.has(guid));
  return [...wrong, ...strange.map((guid) => `nobody desired ${guid}`)];
}

function tasksThatWereLost({ taskStories }: History, promises: Promises): string[] {
  const lost = [...promises.tasks].filter((guid) => !taskStories.has(guid));
  const strange = [...taskStories.keys()].filter(
    (guid) => !promises.tasks.has(guid) && !promises.doubtfulTasks.has(guid),
  );
  const ongoing = [...promises.cancelled].filter((guid) => taskStories.get(guid)?.results.length !== 1);
  return [
    ...lost.map((guid) => `the acknowledged task ${guid} never was`),
    ...strange.map((guid) => `nobody desired the task ${guid}`),
    ...ongoing.map((guid) => `task ${guid} was cancelled and has no result`),
  ];
}
