import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeGarden, FakeHost, type FakeScript, type Garden, type GardenCapabilities } from '#rivera/garden';
import {
  type Action,
  type ActualLRP,
  type CellCapacity,
  type CellReport,
  type CellReportResult,
  type CellWork,
  type DesiredLRP,
  type LRPReport,
  RiveraError,
  type RunAction,
  type Task,
  type TaskDefinition,
} from '#rivera/models';
import type { RiveraClient } from '#rivera/client';
import { RiveraLogger } from '#rivera/platform';
import { loadCellConfig } from '../../apps/cell/src/cell.config.js';
import { openServices } from '../../apps/cell/src/cell-services.js';
import type { CellServices } from '../../apps/cell/src/containers/services.js';
import type { LogLine, LogOrigin } from '../../apps/cell/src/executor/log-sink.js';
import type { StepResult } from '../../apps/cell/src/executor/step.js';
import { Rep } from '../../apps/cell/src/rep/rep.js';
import type { Reporter } from '../../apps/cell/src/rep/reporter.js';
import { aDesiredLRP, aTag, aTaskDefinition } from './builders.js';
import { waitFor } from './wait-for.js';

export interface CellWorldOptions {
  /** Absent: a fake one of its own. */
  garden?: (services: { directory: string }) => Promise<Garden>;
  script?: FakeScript;
  capabilities?: Partial<GardenCapabilities>;
  capacity?: Partial<CellCapacity>;
  /** Variables of the cell beside short times. */
  env?: Record<string, string>;
}

type Answer = CellReportResult | undefined;

const OK: CellReportResult = { ok: true };

/** Times that make a test short. Nothing asserts on them. */
const SHORT_TIMES = {
  GRACE_MS: '300',
  HEALTHY_INTERVAL_MS: '50',
  UNHEALTHY_INTERVAL_MS: '20',
  RESERVATION_TTL_MS: '60000',
};

/**
 * A cell's rep and executor on a garden, and a control plane that is played: it grants what was asked for here, remembers
 * what the cell reports, and answers as a test says.
 */
export class CellWorld {
  readonly cellId = 'cell-1';
  readonly reports: CellReport[] = [];
  lines: (LogLine & { guid: string })[] = [];
  origins: LogOrigin[] = [];
  readonly ends: StepResult[] = [];
  /** What the store would say of this cell. */
  work: CellWork = { epoch: 1, actualLRPs: [], tasks: [] };
  /** Answers a report in place of the control plane; undefined leaves it to that. */
  answer: (report: CellReport) => Promise<Answer> | Answer = () => undefined;
  rep: Rep;
  private readonly desired = new Map<string, DesiredLRP>();
  private readonly tasks = new Map<string, Task>();

  private constructor(
    readonly garden: Garden,
    /** The fake's; of no use with another garden. */
    readonly host: FakeHost,
    readonly directory: string,
    public services: CellServices,
    private readonly options: CellWorldOptions,
  ) {
    this.rep = this.startAgent();
  }

  static async make(options: CellWorldOptions = {}): Promise<CellWorld> {
    const directory = await mkdtemp(join(tmpdir(), 'rivera-cell-'));
    const host = new FakeHost({ script: options.script ?? playedByName });
    const garden =
      (await options.garden?.({ directory })) ??
      new FakeGarden({ owner: 'cell-1', host, stacks: ['base'], capabilities: options.capabilities });
    const lines: CellWorld['lines'] = [];
    const origins: LogOrigin[] = [];
    const { containers } = loadCellConfig({
      ...SHORT_TIMES,
      RIVERA_API: 'http://unused',
      RIVERA_TOKEN: 'unused',
      BUS_REDIS_URL: 'redis://unused',
      ...options.env,
    });
    const services = await openServices({
      // Of its own: two worlds one after the other do not begin at the same host port.
      cell: { cellId: 'cell-1', address: '127.0.0.1', owner: directory, dataDir: directory },
      containers,
      garden,
      logs: {
        open: (origin) => {
          origins.push(origin);
          return { append: (line) => lines.push({ ...line, guid: origin.guid }), close: () => undefined };
        },
      },
      logger: LOGGER,
    });
    const world = new CellWorld(garden, host, directory, services, options);
    world.lines = lines;
    world.origins = origins;
    return world;
  }

  /** A new agent on the same containers, as after a restart: the former one's memory is gone. */
  startAgent(): Rep {
    const reporter = { report: (report: CellReport) => this.receive(report) } as unknown as Reporter;
    const client = {
      getCellWorkUnless: () => Promise.resolve({ work: this.work }),
    } as unknown as RiveraClient;
    this.rep = new Rep({
      services: this.services,
      capacity: { memoryMb: 1_024, diskMb: 4_096, containers: 10, ...this.options.capacity },
      client,
      reporter,
      logger: LOGGER,
      onCompleted: (result) => this.ends.push(result),
    });
    return this.rep;
  }

  /** Places an instance here. Returns its instance guid. */
  place(overrides: Partial<DesiredLRP> = {}, instanceGuid: string = randomUUID()): string {
    const desired = {
      ...aDesiredLRP({ rootfs: 'preloaded:base', memoryMb: 32, diskMb: 0, ...overrides }),
      modificationTag: aTag(),
    } as DesiredLRP;
    this.desired.set(instanceGuid, desired);
    const { processGuid, memoryMb, diskMb } = desired;
    this.rep.place({
      lrps: [{ processGuid, index: 0, instanceGuid, resources: { memoryMb, diskMb } }],
      tasks: [],
    });
    return instanceGuid;
  }

  /** Places a task here. Returns its guid. */
  placeTask(overrides: Partial<TaskDefinition> = {}, taskGuid: string = randomUUID()): string {
    const definition = {
      ...aTaskDefinition({ rootfs: 'preloaded:base', memoryMb: 32, diskMb: 0, ...overrides }),
    } as TaskDefinition;
    this.tasks.set(taskGuid, {
      taskGuid,
      domain: 'domain',
      definition,
      state: 'RUNNING',
      createdAt: 0,
      updatedAt: 0,
      rejectionCount: 0,
      cellId: this.cellId,
      modificationTag: aTag(),
    });
    const { memoryMb, diskMb } = definition;
    this.rep.place({ lrps: [], tasks: [{ taskGuid, resources: { memoryMb, diskMb } }] });
    return taskGuid;
  }

  /** Runs a task and returns what the cell reported of its end. */
  async runTask(overrides: Partial<TaskDefinition>): Promise<Extract<CellReport, { type: 'complete-task' }>> {
    return this.reported('complete-task', this.placeTask(overrides));
  }

  stop(guid: string): void {
    this.rep.stop({ instanceGuids: [guid], taskGuids: [] });
  }

  /** The record the store would have of an instance that runs here. */
  actual(instanceGuid: string, more: Partial<ActualLRP> = {}): ActualLRP {
    const { processGuid, domain, memoryMb, diskMb } = this.desired.get(instanceGuid)!;
    return {
      processGuid,
      index: 0,
      domain,
      state: 'RUNNING',
      presence: 'ORDINARY',
      since: 0,
      crashCount: 0,
      instanceGuid,
      cellId: this.cellId,
      resources: { memoryMb, diskMb },
      modificationTag: aTag(),
      ...more,
    };
  }

  task(taskGuid: string): Task {
    return this.tasks.get(taskGuid)!;
  }

  /** Waits for a report of a type about one instance or task. */
  async reported<T extends CellReport['type']>(
    type: T,
    guid: string,
    matching: (report: Extract<CellReport, { type: T }>) => boolean = () => true,
  ): Promise<Extract<CellReport, { type: T }>> {
    const found = () =>
      this.reports.find(
        (report): report is Extract<CellReport, { type: T }> =>
          report.type === type &&
          guidOf(report) === guid &&
          matching(report as Extract<CellReport, { type: T }>),
      );
    const report = await waitFor(() => found() ?? this.reports, {
      what: `a report ${type} of ${guid}`,
      until: (seen) => !Array.isArray(seen),
      timeoutMs: 60_000,
      intervalMs: 5,
    });
    return report as Extract<CellReport, { type: T }>;
  }

  /** Reports about one instance or task, in order. */
  reportsOf(guid: string): CellReport['type'][] {
    return this.reports.filter((report) => guidOf(report) === guid).map(({ type }) => type);
  }

  /** Waits until nothing of it is left here. */
  async gone(guid: string): Promise<void> {
    await waitFor(() => this.rep.actor(guid)?.state ?? 'gone', {
      what: `${guid} is gone`,
      until: (state) => state === 'gone',
      timeoutMs: 60_000,
      intervalMs: 5,
    });
  }

  async inState(guid: string, state: string): Promise<void> {
    await waitFor(() => this.rep.actor(guid)?.state, {
      what: `${guid} is ${state}`,
      until: (seen) => seen === state,
      timeoutMs: 60_000,
      intervalMs: 5,
    });
  }

  /** Texts of the log of one instance or task, of one source if it is named. */
  log(guid: string, source?: string): string[] {
    return this.lines
      .filter((line) => line.guid === guid && (source === undefined || line.source === source))
      .map(({ text }) => text);
  }

  async logged(guid: string, text: string | RegExp): Promise<void> {
    await waitFor(() => this.log(guid), {
      what: `a line ${String(text)}`,
      until: (lines) =>
        lines.some((line) => (typeof text === 'string' ? line.includes(text) : text.test(line))),
      timeoutMs: 60_000,
      intervalMs: 5,
    });
  }

  /** Removes everything. */
  async close(): Promise<void> {
    const containers = await this.garden.list();
    await Promise.all(containers.map(({ handle }) => this.garden.destroy(handle)));
    await this.garden.close();
    await rm(this.directory, { recursive: true, force: true });
  }

  private async receive(report: CellReport): Promise<CellReportResult> {
    this.reports.push(report);
    const answer = await this.answer(report);
    if (answer !== undefined) return answer;
    if (report.type === 'claim') return this.grantLRP(report);
    if (report.type === 'start-task') {
      const task = this.tasks.get(report.taskGuid);
      return task === undefined ? refusal('not-found') : { ok: true, task };
    }
    return OK;
  }

  private grantLRP({ instanceGuid }: Pick<LRPReport, 'instanceGuid'>): CellReportResult {
    const desiredLRP = this.desired.get(instanceGuid);
    return desiredLRP === undefined ? refusal('not-found') : { ok: true, desiredLRP };
  }
}

const LOGGER = RiveraLogger.create({ app: 'cell', level: 'fatal' });

export function refusal(code: 'not-found' | 'cannot-be-claimed' | 'cannot-be-started'): CellReportResult {
  return { ok: false, error: { code, message: `The control plane says ${code}.` } };
}

function guidOf(report: CellReport): string {
  return 'taskGuid' in report ? report.taskGuid : report.instanceGuid;
}

/** A run action of the fake: `play('exit', '3')`. */
export function play(program: keyof typeof PROGRAMS, ...args: string[]): Action {
  return { run: played(program, ...args) };
}

export function played(program: keyof typeof PROGRAMS, ...args: string[]): RunAction {
  return { path: `/${program}`, args, user: 'vcap' };
}

/** What programs of the fake do. */
const PROGRAMS = {
  /** Ends at once. */
  exit: (program) => program.exit(Number(program.spec.args[0] ?? 0)),
  /** Says something and ends. */
  say: (program) => {
    program.stdout(program.spec.args[0] ?? '');
    program.exit(Number(program.spec.args[1] ?? 0));
  },
  /** Runs until it is asked to end. */
  sleep: () => undefined,
  /** Ends when asked to, with a status. */
  polite: (program) => program.onSignal(() => program.exit(Number(program.spec.args[0] ?? 0))),
  /** Does not end when asked to. */
  stubborn: (program) => program.onSignal(() => undefined),
  /** Ends after so many milliseconds. */
  later: (program) =>
    program.after(Number(program.spec.args[0]), () => program.exit(Number(program.spec.args[1] ?? 0))),
  /** Prints its environment. */
  env: (program) => {
    program.stdout(`${program.env.join('\n')}\n`);
    program.exit(0);
  },
  /** Prints a file of the container. */
  cat: (program) => {
    program.stdout(String(program.files.get(program.spec.args[0]!)));
    program.exit(0);
  },
  /** Writes a file. */
  write: (program) => {
    program.files.set(program.spec.args[0]!, Buffer.from(program.spec.args[1] ?? ''));
    program.exit(0);
  },
} satisfies Record<string, FakeScript>;

const playedByName: FakeScript = (program) => {
  const name = program.spec.path.slice(1);
  if (!(name in PROGRAMS)) throw new RiveraError('not-found', `There is no program ${program.spec.path}.`);
  (PROGRAMS as Record<string, FakeScript>)[name]!(program);
};

/** A world for each test of a `describe`. */
export function useCellWorld(options: CellWorldOptions = {}): () => CellWorld {
  let world: CellWorld;
  beforeEach(async () => {
    world = await CellWorld.make(options);
  });
  afterEach(() => world.close());
  return () => world;
}
