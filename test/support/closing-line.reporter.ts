import { readdirSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';
import { REFERENCES } from '../conformance/sections.js';
import { conformanceReport, type TestOutcome } from './conformance-report.js';

const CONFORMANCE = new URL('../conformance/', import.meta.url);

/**
 * Ends a run with the tests of each section of the references, and one line that says how it went, for people and for
 * machines: `12 passed, 0 failed`.
 */
export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const outcomes = modules.flatMap(outcomesOf);
    const count = (state: TestOutcome['state']) =>
      outcomes.filter((outcome) => outcome.state === state).length;
    const { lines, failures } = conformance(modules, outcomes);
    const failed =
      errors.length +
      modules.reduce((sum, module) => sum + module.errors().length, 0) +
      count('failed') +
      failures.length;
    const skipped = count('skipped');
    if (failures.length > 0) process.exitCode = 1;
    // After the default reporter's summary, so that it is the last line.
    process.on('exit', () => {
      for (const line of [...lines, ...failures.map((failure) => `conformance: ${failure}`)])
        console.log(line);
      console.log(`${count('passed')} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
    });
  }
}

function outcomesOf(module: TestModule): TestOutcome[] {
  return [...module.children.allTests()].map((test) => {
    const result = test.result();
    const state = result.state === 'passed' || result.state === 'failed' ? result.state : 'skipped';
    const reason = result.state === 'skipped' ? result.note : undefined;
    return { file: module.moduleId, name: test.fullName, state, ...(reason === undefined ? {} : { reason }) };
  });
}

function conformance(
  modules: readonly TestModule[],
  outcomes: readonly TestOutcome[],
): { lines: string[]; failures: string[] } {
  const ran = new Set(modules.map(({ moduleId }) => moduleId));
  const specs = readdirSync(CONFORMANCE).map((file) => new URL(file, CONFORMANCE).pathname);
  const reports = REFERENCES.map((reference) => {
    const isWhole = specs.filter((spec) => reference.files.test(spec)).every((spec) => ran.has(spec));
    return conformanceReport(reference, outcomes, isWhole);
  });
  return {
    lines: reports.flatMap(({ lines }) => lines),
    failures: reports.flatMap(({ failures }) => failures),
  };
}
