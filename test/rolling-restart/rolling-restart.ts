import { recordDrift, drift } from '../chaos/checker/drift.js';
import { History, type HistoryEntry } from '../chaos/checker/history.js';
import { brokenPromises, Promises } from '../chaos/checker/promises.js';
import { runViolations } from '../chaos/checker/runs.js';
import { engineViewOf, runningOf } from '../chaos/engine-view.js';
import { leaks, storeViolations } from '../chaos/leaks.js';
import { LogReader } from '../chaos/log-reader.js';
import { Chance } from '../chaos/random.js';
import { Tenant } from '../chaos/tenant.js';
import { aShellLRP, aWebLRP } from '../e2e/workloads.js';
import type { ActualLRP, RiveraEvent } from '#rivera/models';
import { type Backend, type Cluster, type ClusterOptions, startCluster } from '../support/cluster.js';
import { Following } from '../support/follow.js';
import { waitFor } from '../support/wait-for.js';
import { Calls, EventPicture, Placing, Probing, Tasking } from './work.js';

export interface RollingRestartOptions {
  seed: number;
  /** In each, every program is restarted once. */
  rounds: number;
  backend: Backend;
  cells: number;
  /** That two clients desire, scale, change, retire and remove. */
  lrps: number;
  /** An agent that is away for longer counts as lost. */
  presenceTtlMs: number;
  /** Only these programs. */
  isRestarted?: (name: string) => boolean;
  cluster?: Partial<ClusterOptions>;
  progress(text: string): void;
}

export interface RollingRestartResult {
  seed: number;
  violations: string[];
  /** By app: from SIGTERM until it is ready again. */
  restarts: Record<string, number[]>;
  calls: number;
  callMs: number[];
  events: number;
  reconnects: number;
  tasks: number;
  probes: number;
  placementMs: number[];
}

/** Between two calls of a client on average, and between two tasks, and two instances that are placed. */
const PACE_MS = { fake: 400, process: 400, docker: 3_000 } as const satisfies Record<Backend, number>;
const STEADY_INSTANCES = 6;
const SETTLE_MS = 120_000;
/** From desired to RUNNING; more than this is standing still. */
const PLACEMENT_PATIENCE_MS = 30_000;
const MOST_SHOWN = 20;
/** Of a task: shorter and longer than a restart. */
const TASK_SCRIPTS = ['sleep 0.2', 'sleep 2', 'sleep 8'];

/** A cluster with work under way, of which every program is stopped and started again, one after the other. */
export async function rollingRestart(options: RollingRestartOptions): Promise<RollingRestartResult> {
  const { cells, backend, presenceTtlMs } = options;
  const cluster = await startCluster({
    cells,
    backend,
    replicas: 2,
    isDirect: true,
    presenceTtlMs,
    redis: { appendonly: true },
    fakeMachines: backend === 'fake',
    cellEnv: { CELL_CONTAINERS: '400', CELL_MEMORY_MB: '16384' },
    ...options.cluster,
  });
  try {
    return await new Rolling(cluster, options).run();
  } finally {
    await cluster.stop();
  }
}

/** Also remembers each event, to compare it with what others were told. */
class RememberingHistory extends History {
  readonly names: string[] = [];

  override take(entry: HistoryEntry): void {
    this.names.push(...namesOf(entry.events));
    super.take(entry);
  }
}

class Rolling {
  private readonly history = new RememberingHistory();
  private readonly promises = new Promises();
  private readonly calls = new Calls();
  private readonly violations: string[] = [];
  private readonly restarts: Record<string, number[]> = {};
  private readonly reader: LogReader;
  private readonly engine;

  constructor(
    private readonly cluster: Cluster,
    private readonly options: RollingRestartOptions,
  ) {
    this.reader = new LogReader(cluster.redis.url, this.history);
    this.engine = options.backend === 'process' ? undefined : engineViewOf(cluster);
  }

  async run(): Promise<RollingRestartResult> {
    const { cluster, options } = this;
    const hasPorts = options.backend !== 'fake';
    const paceMs = PACE_MS[options.backend];
    await cluster.client.upsertDomain('some-domain', 0);
    // One begins with each bbs.
    const followers = [
      await Following.start(cluster.connect({ random: () => 0 })),
      await Following.start(cluster.connect({ random: () => 0.99 })),
    ];
    this.reader.start();
    const picture = new EventPicture(followers[0]!);
    const client = this.calls.through(cluster.connect());
    const steady = hasPorts
      ? aWebLRP({ instances: STEADY_INSTANCES })
      : aShellLRP('sleep 7200', { instances: STEADY_INSTANCES });
    this.promises.desired.set(steady.processGuid, [STEADY_INSTANCES]);
    await client.desireLRP(steady);
    const before = await cluster.untilRunning(steady.processGuid, STEADY_INSTANCES, SETTLE_MS);

    const { promises } = this;
    const chance = new Chance(options.seed);
    const tenants = [1, 2].map((number) => {
      const own = this.calls.through(cluster.connect());
      const most = Math.ceil(options.lrps / 2);
      return new Tenant({
        name: `tenant-${number}`,
        client: own,
        chance: chance.split(),
        promises,
        most,
        pauseMs: paceMs,
      });
    });
    const work = { client, promises, picture };
    const placing = new Placing({ ...work, everyMs: paceMs, patienceMs: PLACEMENT_PATIENCE_MS });
    const tasking = new Tasking({ ...work, everyMs: paceMs, scripts: TASK_SCRIPTS });
    const probing = new Probing({ picture, processGuid: steady.processGuid });
    await Promise.all(tenants.map((tenant) => tenant.settle()));
    options.progress('work is under way');
    const end = new AbortController();
    const lives = Promise.all(
      [...tenants, placing, tasking, ...(hasPorts ? [probing] : [])].map((each) => each.live(end.signal)),
    );
    try {
      await Promise.race([this.restartAll(), lives]);
    } catch (error) {
      this.violate(error);
    }
    end.abort();
    await lives.catch((error: unknown) => this.violate(error));
    const { processGuid, tookMs, at } = placing.slowest;
    options.progress(
      `the slowest to run was ${processGuid}, ${Math.round(tookMs)} ms from ${at.toISOString().slice(11, 23)} on`,
    );
    this.violations.push(...placing.violations, ...probing.violations);
    await this.check(before, followers);
    const isFine = this.violations.length === 0;
    if (!isFine) options.progress(cluster.report(40));
    const names = followers.map(({ events }) => events.length);
    return {
      seed: options.seed,
      violations: [...new Set(this.violations)].slice(0, MOST_SHOWN),
      restarts: this.restarts,
      calls: this.calls.durationsMs.length,
      callMs: this.calls.durationsMs,
      events: Math.max(...names),
      reconnects: followers.reduce((all, { disconnects }) => all + disconnects, 0),
      tasks: this.history.taskStories.size,
      probes: probing.asked,
      placementMs: placing.timesMs,
    };
  }

  private async restartAll(): Promise<void> {
    const { cluster, options } = this;
    const names = cluster.programNames.filter((name) => options.isRestarted?.(name) ?? true);
    for (let round = 1; round <= options.rounds; round += 1) {
      for (const name of names) {
        const tookMs = await this.restart(name);
        options.progress(`round ${round}: ${name} was ready again after ${Math.round(tookMs)} ms`);
      }
    }
  }

  private async restart(name: string): Promise<number> {
    const program = this.cluster.program(name);
    const began = performance.now();
    await program.stop();
    if (program.state !== 'exited with 0')
      this.violations.push(`${name} was asked to stop and ${program.state}`);
    await this.cluster.startProgram(name);
    const tookMs = performance.now() - began;
    (this.restarts[name.replace(/-\d+$/, '')] ??= []).push(tookMs);
    return tookMs;
  }

  /** Everything comes to rest, and then everything is looked at. */
  private async check(before: readonly ActualLRP[], followers: readonly Following[]): Promise<void> {
    const { history, promises, calls, reader, engine } = this;
    await waitFor(() => this.drift(), {
      what: 'actual is desired',
      until: (differences) => differences.length === 0,
      timeoutMs: SETTLE_MS,
      intervalMs: 250,
    }).catch((error: unknown) => this.violate(error));
    let missed: string[] = [];
    const look = async (): Promise<string[]> => {
      await reader.catchUp();
      return (missed = followers.flatMap((following, at) => this.missed(following, at)));
    };
    await waitFor(look, {
      what: 'followers were told everything',
      until: (names) => names.length === 0,
      timeoutMs: 10_000,
    }).catch(() => undefined);
    this.violations.push(
      ...calls.failures,
      ...history.violations,
      ...brokenPromises(history, promises),
      ...(engine ? runViolations(history, engine.runs) : []),
      ...(await storeViolations(reader, history)),
      ...this.tasksGoneWrong(),
      ...this.cellsLost(),
      ...(await this.replaced(before)),
      ...missed,
    );
    let left: string[] = [];
    await waitFor(async () => (left = await leaks(reader.redis, history)), {
      what: 'nothing is left over',
      until: (found) => found.length === 0,
      timeoutMs: 20_000,
      intervalMs: 500,
    }).catch(() => undefined);
    this.violations.push(...left);
    await Promise.all(followers.map((following) => following.stop()));
    await reader.stop();
    await engine?.stop();
  }

  private async drift(): Promise<string[]> {
    const { engine, history } = this;
    await this.reader.catchUp();
    if (engine === undefined) return recordDrift(history);
    const containers = await engine.containers();
    return drift(history, { containers, running: runningOf(engine) });
  }

  private tasksGoneWrong(): string[] {
    return [...this.history.taskStories].flatMap(([guid, { startedOn, results }]) => {
      const [result] = results;
      if (startedOn.length !== 1) return [`task ${guid} was started ${startedOn.length} times`];
      if (result === undefined) return [`task ${guid} has no result`];
      return result.failed ? [`task ${guid} failed: ${result.failureReason}`] : [];
    });
  }

  private cellsLost(): string[] {
    return [...this.history.cellTroubles].flatMap(([cellId, spans]) =>
      spans.length === 0 ? [] : [`${cellId} counted as lost or draining ${spans.length} times`],
    );
  }

  /** Instances that nobody touched must be what they were. */
  private async replaced(before: readonly ActualLRP[]): Promise<string[]> {
    const after = await this.cluster.actuals(before[0]!.processGuid);
    const crashes = this.history.names.filter((name) => name.startsWith('actual_lrp_crashed'));
    const changed = before.filter(
      ({ index, instanceGuid, since }) =>
        !after.some(
          (actual) =>
            actual.index === index && actual.instanceGuid === instanceGuid && actual.since === since,
        ),
    );
    return [
      ...changed.map(({ processGuid, index }) => `${processGuid}/${index} is not the instance it was`),
      ...crashes.map((name) => `nobody ends instances, but: ${name}`),
    ];
  }

  /** Each event that the log has since the first work, once and no more. */
  private missed(following: Following, which: number): string[] {
    const counts = new Map<string, number>();
    for (const name of this.history.names) counts.set(name, (counts.get(name) ?? 0) + 1);
    for (const name of namesOf(following.events)) counts.set(name, (counts.get(name) ?? 0) - 1);
    const different = [...counts].filter(([, count]) => count !== 0);
    return [
      ...following.resets.map((reason) => `follower ${which} was reset: ${reason}`),
      ...different.map(
        ([name, count]) => `follower ${which} was told ${count > 0 ? 'nothing of' : 'twice of'} ${name}`,
      ),
    ];
  }

  private violate(error: unknown): void {
    this.violations.push(error instanceof Error ? error.message : String(error));
  }
}

/** What names each event that work causes; the cells came before anybody followed. */
function namesOf(events: readonly RiveraEvent[]): string[] {
  return events.flatMap((event) => {
    const { before, after } = event as { before?: Named; after?: Named };
    const record = (after ?? before)!;
    if (record.taskGuid === undefined && record.processGuid === undefined) return [];
    const { epoch, index } = record.modificationTag;
    const id = record.taskGuid ?? `${record.processGuid}/${record.index ?? ''}`;
    return [`${event.type} ${id} ${record.instanceGuid ?? ''} ${epoch}:${index}`];
  });
}

interface Named {
  taskGuid?: string;
  processGuid?: string;
  index?: number;
  instanceGuid?: string;
  modificationTag: { epoch: string; index: number };
}
