import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { compare, inputsOf, SCENARIOS, Simulation } from '#rivera/auction';
import type { SimulationInput } from '#rivera/auction';
import type { CliContext } from '../cli-context.js';
import { CommandFailure, UsageError } from '../errors.js';
import { print, printJson, printList } from '../output.js';
import { reasonOf } from '../read-json.js';
import { asUsageError, chooseSubjects } from './choose-world.js';
import type { Subject, WorldChoice } from './choose-world.js';
import { engineOf, policyInWords, policyOf } from './policy.js';
import type { Policy } from './policy.js';
import { readRecording, recordTo } from './recording-file.js';
import { comparisonOf, detailsOf, summaryOf } from './tables.js';
import type { Outcome } from './tables.js';

export interface SimulateOptions extends WorldChoice {
  replay?: string;
  option?: string[];
  diff?: string[];
  record?: string;
  svg?: string;
  html?: string;
  json?: boolean;
}

/** Something that can be run once or more: each time the same inputs, as far as they go. */
interface Run extends Omit<Subject, 'world' | 'options'> {
  policy: Policy;
  /** `hasFailed` ends a world that runs until something cannot be placed. */
  inputs(hasFailed: () => boolean): Iterable<SimulationInput>;
}

export async function runSimulate(
  scenarios: readonly string[],
  options: SimulateOptions,
  context: CliContext,
): Promise<void> {
  const runs = await runsOf(scenarios, options, context);
  const [run] = runs;
  if (run === undefined) return listScenarios(options, context);
  if (runs.length > 1) requireNone(options, ['record', 'svg', 'html', 'diff']);
  if (options.diff !== undefined) return runComparison(run, { ...options, diff: options.diff }, context);

  const outcomes: Outcome[] = [];
  for (const each of runs) {
    context.signal.throwIfAborted();
    const outcome = simulateOnce(each, options, context);
    outcomes.push(outcome);
    if (options.json) await printJson(context.stdout, jsonOf(outcome));
  }
  const [only] = outcomes;
  if (!options.json) {
    await print(context.stdout, outcomes.length === 1 && only ? detailsOf(only) : summaryOf(outcomes));
  }
  await writePictures(outcomes, options, context);
  const missed = outcomes.filter(({ expected }) => expected && expected.complaints.length > 0);
  if (missed.length > 0) {
    throw new CommandFailure(`Not as expected: ${missed.map(({ id }) => id).join(', ')}.`);
  }
}

async function runsOf(
  scenarios: readonly string[],
  options: SimulateOptions,
  context: CliContext,
): Promise<Run[]> {
  const { replay, option = [] } = options;
  const subjects = await chooseSubjects(scenarios, options, context);
  if (replay === undefined) {
    return subjects.map(({ world, options: own, expectation, ...subject }) => ({
      ...subject,
      // What is expected of a scenario holds for its own options.
      expectation: option.length === 0 ? expectation : undefined,
      policy: policyOf(option, { options: own }),
      inputs: (hasFailed) => inputsOf(world, hasFailed),
    }));
  }
  if (subjects.length > 0) throw new UsageError('--replay takes the place of a world; give one of them.');
  requireNone(options, ['seed', 'scale']);
  const { title, options: own, inputs } = await readRecording(replay, context);
  return [{ id: '-', title, policy: policyOf(option, { options: own }), inputs: () => inputs }];
}

function simulateOnce(run: Run, { record }: SimulateOptions, context: CliContext): Outcome {
  const { simulation, cpuUs } = timedSimulation(run.policy);
  const inputs = recorded(
    run,
    run.inputs(() => simulation.hasFailed),
    { record, cwd: context.cwd },
  );
  attempt(() => {
    for (const input of inputs) simulation.apply(input);
  });
  return outcomeOf(run, run.policy, { simulation, cpuUs });
}

async function runComparison(
  run: Run,
  options: SimulateOptions & { diff: string[] },
  context: CliContext,
): Promise<void> {
  const policies = [run.policy, policyOf(options.diff, run.policy)] as const;
  const first = timedSimulation(policies[0]);
  const second = timedSimulation(policies[1]);
  const hasFailed = () => first.simulation.hasFailed && second.simulation.hasFailed;
  const inputs = recorded(run, run.inputs(hasFailed), { record: options.record, cwd: context.cwd });
  const comparison = attempt(() => compare(inputs, first.simulation, second.simulation));
  const unexpecting = { ...run, expectation: undefined };
  const outcomes: [Outcome, Outcome] = [
    outcomeOf(unexpecting, policies[0], first),
    outcomeOf(unexpecting, policies[1], second),
  ];
  if (options.json) await printJson(context.stdout, { ...comparison, policies });
  else await print(context.stdout, comparisonOf(comparison, outcomes));
  await writePictures(outcomes, options, context);
}

interface TimedSimulation {
  simulation: Simulation;
  /** Processor time that auctions took, in microseconds: what else runs on the machine does not count. */
  cpuUs: () => number;
}

function timedSimulation(policy: Policy): TimedSimulation {
  let cpuUs = 0;
  const simulation = new Simulation(engineOf(policy), {
    around: (auction) => {
      const begin = process.cpuUsage();
      const result = auction();
      const { user, system } = process.cpuUsage(begin);
      cpuUs += user + system;
      return result;
    },
  });
  return { simulation, cpuUs: () => cpuUs };
}

function outcomeOf(run: Run, policy: Policy, { simulation, cpuUs }: TimedSimulation): Outcome {
  const report = simulation.report();
  const { id, title, expectation } = run;
  return {
    id,
    title,
    policy: policyInWords(policy),
    report,
    ...(report.decisions > 0 && {
      decisionsPerSecond: (report.decisions * 1_000_000) / Math.max(1, cpuUs()),
    }),
    ...(expectation && {
      expected: { words: expectation.words, complaints: expectation.complaints(report) },
    }),
  };
}

function recorded(
  { title, policy }: Run,
  inputs: Iterable<SimulationInput>,
  { record, cwd }: { record?: string; cwd: string },
): Iterable<SimulationInput> {
  return record === undefined ? inputs : recordTo(record, { title, policy, cwd }, inputs);
}

/** Inputs that contradict each other are a mistake in what was given. */
function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw asUsageError('This cannot be simulated', error);
  }
}

async function writePictures(
  outcomes: readonly Outcome[],
  { svg, html }: SimulateOptions,
  { cwd }: CliContext,
): Promise<void> {
  if (svg !== undefined) await write(svg, (await import('./picture.js')).pictureOf(outcomes), cwd);
  if (html !== undefined) await write(html, (await import('./page.js')).pageOf(outcomes), cwd);
}

async function write(file: string, content: string, cwd: string): Promise<void> {
  try {
    await writeFile(resolve(cwd, file), content);
  } catch (error) {
    throw new UsageError(`${file} cannot be written: ${reasonOf(error)}.`);
  }
}

async function listScenarios(options: SimulateOptions, context: CliContext): Promise<void> {
  requireNone(options, ['record', 'svg', 'html', 'diff', 'option', 'seed', 'scale']);
  await printList(context, {
    items: SCENARIOS.map(({ id, title, expectation: { words } }) => ({ id, title, expected: words })),
    columns: [
      { heading: 'SCENARIO', value: ({ id }) => id },
      { heading: 'WORLD', value: ({ title }) => title },
      { heading: 'EXPECTED', value: ({ expected }) => expected },
    ],
    json: options.json,
  });
}

function requireNone(options: SimulateOptions, names: readonly (keyof SimulateOptions)[]): void {
  const given = names.find((name) => options[name] !== undefined);
  if (given !== undefined)
    throw new UsageError(`--${given} needs one world: a scenario, -f, or its options.`);
}

function jsonOf({ report, ...outcome }: Outcome): object {
  return { ...outcome, ...report };
}
