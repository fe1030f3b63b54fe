import { conformanceReport, type TestOutcome } from './conformance-report.js';

const reference = {
  name: 'REF',
  files: /\/ref\.spec\.ts$/,
  sections: [
    { number: '3.3', subject: 'start' },
    { number: '7.1', subject: 'list', items: [1, 3] as const, without: { 2: 'there is no such thing here' } },
  ],
};
const test = (name: string, change: Partial<TestOutcome> = {}): TestOutcome => ({
  file: '/x/ref.spec.ts',
  name,
  state: 'passed',
  ...change,
});
const COMPLETE = [test('3.3 Start > is told'), test('7.1.1, 7.1.3 both')];

describe('the conformance report', () => {
  it('counts the tests of each section and the items of a list', () => {
    const { lines, failures } = conformanceReport(
      reference,
      [...COMPLETE, test('3.3 x', { state: 'failed' })],
      true,
    );
    expect(lines).toEqual([
      expect.stringMatching(/^REF 3\.3 +start +1 passed, 1 failed$/),
      expect.stringMatching(/^REF 7\.1 +list +1 passed, 2 of 3 items$/),
    ]);
    expect(failures).toEqual([]);
  });

  it('a number belongs to its own section, not to one that begins alike', () => {
    const { lines } = conformanceReport(reference, [test('3.30 x'), test('13.3 x'), test('3.3.1 x')], false);
    expect(lines).toEqual([expect.stringContaining('1 passed')]);
  });

  it('tests of other files do not count', () => {
    const others = COMPLETE.map((each) => ({ ...each, file: '/x/other.spec.ts' }));
    expect(conformanceReport(reference, others, true).failures).toHaveLength(4);
  });

  it('what is missing is a failure, when everything was run', () => {
    const tests = [test('7.1.1 x')];
    expect(conformanceReport(reference, tests, false).failures).toEqual([]);
    expect(conformanceReport(reference, tests, true).failures).toEqual([
      'REF 3.3 has no test',
      'REF 7.1.3 has neither a test nor a reason',
    ]);
  });

  it('so is a test that was skipped without a reason', () => {
    const skipped = test('3.3 x', { state: 'skipped' });
    expect(conformanceReport(reference, [skipped], false).failures).toEqual([
      'REF: 3.3 x was skipped without a reason',
    ]);
    expect(conformanceReport(reference, [{ ...skipped, reason: 'no engine' }], false).failures).toEqual([]);
  });
});
