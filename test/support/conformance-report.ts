import type { Reference, Section } from '../conformance/sections.js';

/** One test as it ended. */
export interface TestOutcome {
  file: string;
  /** Its name with those of the describes around it. */
  name: string;
  state: 'passed' | 'failed' | 'skipped';
  /** Why it was skipped. */
  reason?: string;
}

export interface ConformanceReport {
  lines: string[];
  /** What is missing: a section or an item without a test, a test that was skipped without a reason. */
  failures: string[];
}

/**
 * Counts the tests of each section of a reference. Sections and items without a test are failures only when all spec
 * files of the reference were run.
 */
export function conformanceReport(
  reference: Reference,
  tests: readonly TestOutcome[],
  isWhole: boolean,
): ConformanceReport {
  const own = tests.filter(({ file }) => reference.files.test(file));
  const failures = own
    .filter(({ state, reason }) => state === 'skipped' && reason === undefined)
    .map(({ name }) => `${reference.name}: ${name} was skipped without a reason`);
  const lines: string[] = [];
  for (const section of reference.sections) {
    const ofSection = own.filter(({ name }) =>
      numbersIn(name).some((number) => isWithin(number, section.number)),
    );
    const missing = missingItems(section, ofSection);
    if (isWhole) {
      if (ofSection.length === 0) failures.push(`${reference.name} ${section.number} has no test`);
      for (const item of missing)
        if (section.without?.[item] === undefined)
          failures.push(`${reference.name} ${section.number}.${item} has neither a test nor a reason`);
    }
    if (ofSection.length > 0) lines.push(lineOf(reference, section, ofSection, missing));
  }
  return { lines, failures };
}

function lineOf(
  { name }: Reference,
  section: Section,
  tests: readonly TestOutcome[],
  missing: readonly number[],
): string {
  const count = (state: TestOutcome['state']) => tests.filter((test) => test.state === state).length;
  const items =
    section.items === undefined
      ? ''
      : `, ${itemsOf(section).length - missing.length} of ${itemsOf(section).length} items`;
  const [failed, skipped] = [count('failed'), count('skipped')];
  const result = [
    `${count('passed')} passed`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ].join(', ');
  return `${`${name} ${section.number}`.padEnd(16)} ${section.subject.padEnd(44)} ${result}${items}`;
}

function missingItems(section: Section, tests: readonly TestOutcome[]): number[] {
  const covered = new Set(tests.flatMap(({ name }) => numbersIn(name)));
  return itemsOf(section).filter((item) => !covered.has(`${section.number}.${item}`));
}

function itemsOf({ items: [first, last] = [1, 0] }: Section): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

/** `3.3 Start > 12.3 an orphan` → 3.3, 12.3. */
function numbersIn(name: string): string[] {
  return name.match(/(?<![\d.])\d+(?:\.\d+)+(?![\d.]*\d)/g) ?? [];
}

function isWithin(number: string, section: string): boolean {
  return number === section || number.startsWith(`${section}.`);
}
