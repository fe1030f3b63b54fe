import { validateSync } from 'class-validator';
import { aDesiredLRP } from '#test/builders.js';
import { Action, DesiredLRPRequest, EnvironmentVariable, RiveraError, parse } from '../index.js';

function refusal(input: unknown): RiveraError {
  try {
    parse(DesiredLRPRequest, input);
  } catch (error) {
    if (error instanceof RiveraError) return error;
    throw error;
  }
  throw new Error('The input was accepted.');
}

/** 15,000 actions, or as many as one may put into one request, none of which is fine. */
const manyActions = (bad: () => object): object => ({
  ...aDesiredLRP(),
  action: {
    serial: {
      actions: Array.from({ length: 60 }, () => ({
        parallel: { actions: Array.from({ length: 150 }, bad) },
      })),
    },
  },
});

describe('the fault budget', () => {
  it.each<[string, () => object]>([
    ['empty actions', () => ({})],
    ['actions that lack everything', () => ({ run: {} })],
    ['actions with unknown fields', () => ({ x: 1 })],
  ])('ends the search among %s', (_what, bad) => {
    const { details } = refusal(manyActions(bad));
    expect(details.fields).toHaveLength(100);
    expect(details['faults']).toBeGreaterThanOrEqual(1000);
    expect(details['faults']).toBeLessThan(2500);
  });

  it('still lists what comes first', () => {
    const { details } = refusal(manyActions(() => ({ run: {} })));
    expect(details.fields?.slice(0, 2).map(({ field }) => field)).toEqual([
      'action.serial.actions[0].parallel.actions[0].run.path',
      'action.serial.actions[0].parallel.actions[0].run.user',
    ]);
  });

  it('is over with the request it was for', () => {
    refusal(manyActions(() => ({})));
    expect(validateSync(new EnvironmentVariable())).not.toEqual([]);
    expect(validateSync(new Action())).not.toEqual([]);
    expect(refusal({ ...aDesiredLRP(), environmentVariables: [{ name: '', value: 'v' }] }).message).toContain(
      'environmentVariables[0].name',
    );
  });
});
