import { setMaxListeners } from 'node:events';
import { startCluster, type Cluster, type ClusterOptions } from '../support/cluster.js';
import { waitFor, WaitTimeout } from '../support/wait-for.js';
import { drift } from './checker/drift.js';
import { History } from './checker/history.js';
import { brokenPromises, Promises } from './checker/promises.js';
import { runViolations } from './checker/runs.js';
import { engineViewOf, type EngineView, runningOf } from './engine-view.js';
import { type Fault, planFaults } from './fault-plan.js';
import { Injector, type Recovery } from './injector.js';
import { leaks, storeViolations } from './leaks.js';
import { LogReader } from './log-reader.js';
import { Operator } from './operator.js';
import { Chance } from './random.js';
import { Rivals } from './rivals.js';
import { TaskClient } from './task-client.js';
import { Tenant } from './tenant.js';
import { zombieViolations } from './zombies.js';

export interface StormOptions {
  seed: number;
  backend: 'fake' | 'docker';
  cells: number;
  lrps: number;
  /** Of each storm; after each everything must come to rest. */
  stormMs: number;
  storms: number;
  /** Between two faults, on average. */
  gapMs: number;
  /** Within this after the last fault everything must be as desired. */
  convergenceMs: number;
  replicas?: number;
  presenceTtlMs?: number;
  /** Mean pause of a client between two calls. */
  pauseMs?: number;
  drains?: boolean;
  /** Instead of faults of all kinds. */
  plan?: (chance: Chance, cluster: Cluster) => Fault[];
  cluster?: Partial<ClusterOptions>;
  /** Do not print the programs' logs when something was violated. */
  isQuiet?: boolean;
  progress(text: string): void;
}

export interface StormResult {
  seed: number;
  faults: number;
  recoveries: Recovery[];
  convergenceMs: number[];
  violations: string[];
  calls: number;
  unanswered: number;
  refused: number;
  events: number;
  containers: number;
  tasks: number;
  taskFailures: Record<string, number>;
  drains: number;
}

const LRPS_OF_A_TENANT = 100;
const MOST_TENANTS = 20;
const TASK_CLIENTS = 2;
const RIVALS = 4;
/** Enough to see what is wrong. */
const MOST_SHOWN = 20;

/** A cluster under random work and random faults, and everybody who watches it. */
export async function storm(options: StormOptions): Promise<StormResult> {
  const { backend, cells, replicas = 2, presenceTtlMs = 10_000 } = options;
  const cluster = await startCluster({
    cells,
    backend,
    replicas,
    presenceTtlMs,
    leaseTtlMs: 6_000,
    // A link leads to one address, and a Redis Cluster or a Sentinel would send its clients past it.
    redis: { kind: 'single', appendonly: true },
    links: true,
    supervised: true,
    fakeMachines: backend === 'fake',
    cellEnv: { CELL_CONTAINERS: '400', CELL_MEMORY_MB: '16384' },
    ...options.cluster,
  });
  try {
    return await new Run(cluster, { ...options, presenceTtlMs }).run();
  } finally {
    await cluster.stop();
  }
}

class Run {
  private readonly chance: Chance;
  private readonly history = new History();
  private readonly promises = new Promises();
  private readonly violations: string[] = [];
  private readonly reader: LogReader;
  private readonly engine: EngineView;
  private readonly injector: Injector;
  private readonly convergenceMs: number[] = [];
  private faults = 0;

  constructor(
    private readonly cluster: Cluster,
    private readonly options: StormOptions & { presenceTtlMs: number },
  ) {
    this.chance = new Chance(options.seed);
    this.reader = new LogReader(cluster.redis.url, this.history);
    this.engine = engineViewOf(cluster);
    this.injector = new Injector(cluster, this.engine);
  }

  async run(): Promise<StormResult> {
    const { options, cluster } = this;
    const workload = this.workload();
    this.reader.start();
    try {
      // What nobody desires may only be stopped in a domain that is complete.
      await cluster.client.upsertDomain('some-domain', 0);
      options.progress(`desiring ${options.lrps} LRPs`);
      await Promise.all([...workload.tenants, workload.rivals].map((each) => each.settle()));
      await this.calm('everything runs');
      for (let round = 1; round <= options.storms && this.violations.length === 0; round += 1) {
        await this.storm(workload);
        for (const cellId of cluster.cellNames) await workload.operator.uncordon(cellId);
        await this.calm(`storm ${round} of ${options.storms}`);
      }
    } catch (error) {
      this.violations.push(error instanceof Error ? error.message : String(error));
    } finally {
      await this.reader.stop();
      await this.engine.stop();
    }
    if (this.violations.length > 0 && !options.isQuiet) options.progress(cluster.report(60));
    return this.result(workload.operator);
  }

  private workload() {
    const { lrps, pauseMs = 2_000, backend } = this.options;
    const { chance, promises, cluster } = this;
    const count = Math.min(MOST_TENANTS, Math.max(2, Math.ceil(lrps / LRPS_OF_A_TENANT)));
    const client = () => cluster.connect({ timeoutMs: 3_000, deadlineMs: 6_000 });
    const tenants = Array.from(
      { length: count },
      (_, i) =>
        new Tenant({
          name: `tenant-${i + 1}`,
          client: client(),
          chance: chance.split(),
          promises,
          most: Math.floor(lrps / count) + (i < lrps % count ? 1 : 0),
          pauseMs,
        }),
    );
    const taskClients = Array.from(
      { length: TASK_CLIENTS },
      (_, i) =>
        new TaskClient({
          name: `tasks-${i + 1}`,
          client: client(),
          chance: chance.split(),
          promises,
          pauseMs: backend === 'docker' ? 2 * pauseMs : pauseMs / 2,
        }),
    );
    const rivals = new Rivals({
      clients: Array.from({ length: RIVALS }, client),
      chance: chance.split(),
      promises,
      pauseMs,
    });
    const operator = new Operator({
      client: client(),
      chance: chance.split(),
      cells: cluster.cellNames,
      pauseMs: 5_000,
    });
    return { tenants, taskClients, rivals, operator };
  }

  private async storm({
    tenants,
    taskClients,
    rivals,
    operator,
  }: ReturnType<Run['workload']>): Promise<void> {
    const { cluster, options, chance } = this;
    const end = new AbortController();
    // Each client listens.
    setMaxListeners(0, end.signal);
    const clients = [...tenants, ...taskClients, rivals, ...(options.drains === false ? [] : [operator])];
    const lives = Promise.all(clients.map((each) => each.live(end.signal)));
    const plan = options.plan?.(chance, cluster) ?? this.plan();
    options.progress(`${plan.length} faults in ${Math.round(options.stormMs / 1_000)} s`);
    const storm = this.injector.storm(plan);
    await Promise.race([storm, lives.then(() => storm)]);
    this.faults += plan.length;
    end.abort();
    await lives;
  }

  private plan(): Fault[] {
    const { cluster, options, chance } = this;
    const { stormMs, gapMs, presenceTtlMs, backend } = options;
    return planFaults(chance, {
      durationMs: stormMs,
      gapMs,
      presenceTtlMs,
      targets: {
        programs: cluster.programNames,
        links: cluster.linkNames.filter((name) => !name.startsWith('clients')),
        cells: cluster.cellNames,
        hasEngine: backend === 'docker' && process.env.RIVERA_TEST_DOCKER_HOST === undefined,
      },
    });
  }

  /** Waits until everything is as desired, and then looks at everything. */
  private async calm(what: string): Promise<void> {
    const { history, options, engine, reader } = this;
    const beganMs = performance.now();
    try {
      await waitFor(() => this.drift(), {
        what: `${what}: actual is desired`,
        until: (differences) => differences.length === 0,
        timeoutMs: options.convergenceMs,
        intervalMs: 500,
      });
      this.convergenceMs.push(performance.now() - beganMs);
      options.progress(`${what}: at rest after ${Math.round(performance.now() - beganMs)} ms`);
    } catch (error) {
      if (!(error instanceof WaitTimeout)) throw error;
      const left = await this.drift();
      this.violations.push(...left.map((each) => `after ${options.convergenceMs} ms: ${each}`));
    }
    await this.drift();
    this.violations.push(
      ...history.violations.splice(0),
      ...brokenPromises(history, this.promises),
      ...runViolations(history, engine.runs),
      ...(await storeViolations(reader, history)),
      ...(await zombieViolations(this.cluster.dist, this.cluster.redis.url)),
    );
    this.violations.push(...(await this.leaks()));
  }

  /** Messages of the last moment are on their way and not left over. */
  private async leaks(): Promise<string[]> {
    let found: string[] = [];
    await waitFor(async () => (found = await leaks(this.reader.redis, this.history)), {
      what: 'nothing is left over',
      until: (left) => left.length === 0,
      timeoutMs: 20_000,
      intervalMs: 500,
    }).catch(() => undefined);
    return found;
  }

  private async drift(): Promise<string[]> {
    await this.reader.catchUp();
    const containers = await this.engine.containers();
    return drift(this.history, { containers, running: runningOf(this.engine) });
  }

  private result({ drains }: Operator): StormResult {
    const { history, promises, options } = this;
    const shown = [...new Set(this.violations)];
    for (const violation of shown.slice(0, MOST_SHOWN)) options.progress(`VIOLATION: ${violation}`);
    const taskFailures: Record<string, number> = {};
    for (const { results } of history.taskStories.values()) {
      for (const { failed, failureReason = '' } of results) {
        const reason = failed ? failureReason : 'none';
        taskFailures[reason] = (taskFailures[reason] ?? 0) + 1;
      }
    }
    return {
      seed: options.seed,
      faults: this.faults,
      recoveries: this.injector.recoveries,
      convergenceMs: this.convergenceMs,
      violations: shown,
      calls: promises.calls,
      unanswered: promises.unanswered,
      refused: promises.refused,
      events: history.eventCount,
      containers: this.engine.runs.length,
      tasks: history.taskStories.size,
      taskFailures,
      drains,
    };
  }
}
