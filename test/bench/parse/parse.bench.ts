import { aDesiredLRP, aRealisticDesiredLRP } from '#test/builders.js';
import { CellReportsRequest, DesiredLRPRequest, RiveraError, parse } from '#rivera/models';
import type { BenchContext } from '../bench.js';

/** CPU time of one call in microseconds: the best and the middle one of some rounds. */
export interface CpuTime {
  name: string;
  bestUs: number;
  medianUs: number;
}

const ROUNDS = 40;
const REPORTS = 500;

/** CPU time, not wall time: what else runs on the machine counts for little. */
function cpuTime(name: string, calls: number, run: () => unknown, share = 1): CpuTime {
  for (let call = 0; call < calls * 10; call += 1) run();
  const rounds = Array.from({ length: ROUNDS }, () => {
    const start = process.cpuUsage();
    for (let call = 0; call < calls; call += 1) run();
    const { user, system } = process.cpuUsage(start);
    return (user + system) / calls / share;
  }).toSorted((one, other) => one - other);
  return { name, bestUs: rounds[0] ?? Number.NaN, medianUs: rounds[ROUNDS / 2] ?? Number.NaN };
}

/** 60 lists of 250 actions, none of which says what to do: as many faults as fit into one request. */
const hostile = {
  ...aDesiredLRP(),
  action: {
    serial: {
      actions: Array.from({ length: 60 }, () => ({
        serial: { actions: Array.from({ length: 250 }, () => ({})) },
      })),
    },
  },
};

function refuse(input: unknown): void {
  try {
    parse(DesiredLRPRequest, input);
  } catch (error) {
    if (error instanceof RiveraError) return;
    throw error;
  }
  throw new Error('The hostile request was accepted.');
}

/** What it costs to take a request body for one of its class; `JSON.parse` of the same text as a yardstick. */
export function parseBench(): CpuTime[] {
  const text = JSON.stringify(aRealisticDesiredLRP());
  const realistic: unknown = JSON.parse(text);
  const smallest: unknown = JSON.parse(JSON.stringify(aDesiredLRP()));
  const claims: unknown = {
    epoch: 1,
    reports: Array.from({ length: REPORTS }, (_, index) => ({
      type: 'claim',
      processGuid: `process-${index}`,
      index,
      instanceGuid: `instance-${index}`,
    })),
  };
  return [
    cpuTime('JSON.parse of a realistic desired LRP', 200, () => JSON.parse(text)),
    cpuTime('a realistic desired LRP', 200, () => parse(DesiredLRPRequest, realistic)),
    cpuTime('a realistic desired LRP, JSON.parse included', 200, () =>
      parse(DesiredLRPRequest, JSON.parse(text)),
    ),
    cpuTime('the smallest desired LRP', 1000, () => parse(DesiredLRPRequest, smallest)),
    cpuTime(`one of ${REPORTS} claim reports`, 5, () => parse(CellReportsRequest, claims), REPORTS),
    cpuTime('a request with 15,000 faults', 1, () => refuse(hostile)),
  ];
}

export function bench(context: BenchContext): Promise<void> {
  for (const { name, bestUs, medianUs } of parseBench()) {
    context.report({ case: name, metric: 'best_us', value: bestUs, unit: 'us' });
    context.report({ case: name, metric: 'p50_us', value: medianUs, unit: 'us' });
  }
  return Promise.resolve();
}
