import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { copyOfDist } from './copy-of-dist.js';
import { storm } from './storm.js';

/** A rule that is broken on purpose, in a copy of the compiled programs. */
export interface SeededBug {
  name: string;
  /** Below `dist`. */
  file: string;
  /** Must be there exactly once: a bug that has nothing to break any more is an error, not a pass. */
  find: string;
  replace: string;
}

/** The storm without a bug. */
const CONTROL = 'control';

export const SEEDED_BUGS: readonly SeededBug[] = [
  {
    name: 'writes of those who were replaced are taken',
    file: 'libs/store/src/commit-script.js',
    find: `if highest and tonumber(token) < tonumber(highest) then return {0, 'fenced', highest} end`,
    replace: '',
  },
  {
    name: 'a record that has changed meanwhile is overwritten',
    file: 'libs/store/src/commit-script.js',
    find: `if not holds then return {0, 'conflict', name} end`,
    replace: '',
  },
  {
    name: 'index entries are not removed',
    file: 'libs/store/src/commit-batch.js',
    find: `this.write('ZREM', entry.index, entry.member);`,
    replace: ';',
  },
  {
    name: 'acknowledged before it is committed',
    file: 'libs/store/src/store.js',
    find: 'const [ok, reason, detail] = await this.gate.pass(',
    replace: `const later = (commit) => (setTimeout(() => this.gate.pass(commit).catch(() => undefined), 20), [1, 0]);
        const [ok, reason, detail] = await later(`,
  },
  {
    name: 'the end of a task is not written',
    file: 'libs/lifecycle/src/task.js',
    find: 'return [completed(task, outcome, context)];',
    replace: 'return [];',
  },
  {
    name: 'the end of a record is not told',
    file: 'libs/lifecycle/src/events.js',
    find: 'return [{ type: `${type}_removed`, before }];',
    replace: 'return [];',
  },
  {
    name: 'an instance that is retired is started elsewhere before it has stopped',
    file: 'libs/lifecycle/src/instance.js',
    find: `if (isHeldByCell(ordinary) && isCellPresent)
        return stop(ordinary);`,
    replace: '',
  },
  {
    name: 'containers are not removed',
    file: 'libs/garden/src/fake/fake-garden.js',
    find: `return this.host.perform('destroy', handle, () => this.vanish(handle));`,
    replace: `return this.host.perform('destroy', handle, () => undefined);`,
  },
];

/**
 * Runs a short storm with each bug, and before them one without any, in which nothing may be found. Returns the names of
 * those that nobody noticed, and `CONTROL` when something was found where nothing is.
 */
export async function findSeededBugs(options: {
  seed: number;
  bugs: readonly SeededBug[];
  progress: (text: string) => void;
}): Promise<string[]> {
  const { seed, bugs, progress } = options;
  const healthy = await violationsWith(undefined, seed);
  progress(`without a bug: ${healthy.length} violations`);
  for (const violation of healthy) progress(`         ${violation}`);
  const unnoticed: string[] = healthy.length === 0 ? [] : [CONTROL];
  for (const bug of bugs) {
    const violations = await violationsWith(bug, seed);
    progress(`${violations.length > 0 ? 'noticed' : 'NOT NOTICED'}: ${bug.name}`);
    if (violations.length > 0) progress(`         ${violations.length} violations, e.g. ${violations[0]}`);
    else unnoticed.push(bug.name);
  }
  return unnoticed;
}

async function violationsWith(bug: SeededBug | undefined, seed: number): Promise<string[]> {
  const copy = await copyOfDist(`seeded-${bug === undefined ? 'none' : SEEDED_BUGS.indexOf(bug)}`);
  try {
    if (bug !== undefined) {
      const file = join(copy.dist, bug.file);
      await writeFile(file, withBug(await readFile(file, 'utf8'), bug));
    }
    const { violations } = await storm({
      seed,
      backend: 'fake',
      cells: 3,
      lrps: 60,
      storms: 2,
      stormMs: 20_000,
      gapMs: 2_500,
      pauseMs: 300,
      convergenceMs: 60_000,
      cluster: { dist: copy.dist },
      isQuiet: true,
      progress: () => undefined,
    });
    return violations;
  } finally {
    await copy.remove();
  }
}

/** @throws when the text to break is not there, or not just once */
export function withBug(source: string, { name, find, replace }: SeededBug): string {
  const parts = source.split(find);
  if (parts.length !== 2) {
    throw new Error(
      `The bug "${name}" finds its text ${parts.length - 1} times instead of once; bring it up to date.`,
    );
  }
  return parts.join(replace);
}
