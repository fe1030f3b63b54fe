import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { Api } from './api.js';
import { spawnProgram } from './child-process.js';
import { type Backend, type EnginePlan, planEngine } from './engine.js';
import { answers } from './http-request.js';
import type { Layout } from './layout.js';
import { stopLeftovers } from './leftovers.js';
import { type Report, tailOf } from './output.js';
import { Ports } from './ports.js';
import { PrivateEngine } from './private-engine.js';
import {
  apiUrl,
  baseRootfs,
  type CellProgram,
  cellIdsOf,
  type ClusterProgram,
  planCells,
  planControlPlane,
} from './processes.js';
import { planRedis, redisAnswers, type RedisPlan } from './redis.js';
import type { RunFiles } from './run-state.js';
import { awaitSample, desireSample, type SampleState } from './sample.js';
import { mintTokens, openSecrets, type Secrets } from './secrets.js';
import { shutDown } from './shut-down.js';
import { summaryOf } from './summary.js';
import { type Program, Supervisor } from './supervisor.js';
import { waitFor } from './wait.js';

export interface UpSettings {
  cells: number;
  /** The best there is when absent. */
  backend?: Backend;
  /** Of the API; kept from start to start when absent. */
  port?: number;
  sample: boolean;
}

const DEFAULT_PORT = 8899;
/** For everything but the sample. Both together stay below the 180 s after which nobody believes in it any more. */
const READY_WITHIN_MS = 110_000;
const ENGINE_WITHIN_MS = 30_000;
const SAMPLE_WITHIN_MS = 60_000;

/** Starts a whole cluster on this machine, keeps it running, and ends it again. */
export class Launcher {
  private readonly supervisor: Supervisor;
  private cells: Program[] = [];
  private ownEngine: PrivateEngine | undefined;
  private readyBy = 0;

  constructor(
    private readonly layout: Layout,
    private readonly files: RunFiles,
    private readonly report: Report,
  ) {
    this.supervisor = new Supervisor({
      spawn: (program) => spawnProgram(layout.run, program),
      report,
      now: () => performance.now(),
      sleep: (ms, signal) => delay(ms, undefined, { signal }).catch(() => undefined),
    });
  }

  /** Runs until the signal fires. Whatever happens, nothing that it started runs any more when it returns. */
  async run(settings: UpSettings, signal: AbortSignal): Promise<void> {
    // When one part cannot be started, the others must not wait for theirs any longer.
    const giveUp = new AbortController();
    try {
      await this.start(settings, AbortSignal.any([signal, giveUp.signal]));
      if (!signal.aborted) await once(signal, 'abort');
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      giveUp.abort();
      await this.stop();
    }
  }

  private async start(settings: UpSettings, signal: AbortSignal): Promise<void> {
    const { layout, files, report } = this;
    this.readyBy = performance.now() + READY_WITHIN_MS;
    files.writeState({});
    await stopLeftovers(layout, files, report);
    const secrets = openSecrets(layout);
    const ports = new Ports();
    const cellIds = cellIdsOf(settings.cells);
    const bbsPort = await this.choosePort(ports, settings.port);
    const redis = await planRedis({ layout, secrets, ports, cellIds });
    const controlPlane = await planControlPlane({ layout, secrets, redis, bbsPort, ports });
    const [tokens, engine] = await Promise.all([
      mintTokens(secrets.secretFile, cellIds),
      this.startEngine(secrets, settings, signal),
      this.startRedis(redis, signal).then(() => this.startControlPlane(controlPlane, signal)),
    ]);
    signal.throwIfAborted();
    writeEnvFile(layout, apiUrl(bbsPort), tokens.client);
    const api = new Api(apiUrl(bbsPort), tokens.client);
    const cells = await planCells({ layout, secrets, tokens, redis, engine, cellIds, bbsPort, ports });
    await this.startCells(cells, api, signal);
    const sample = await this.startSample(settings, engine, api, signal);
    const summary = summaryOf({ layout, api: apiUrl(bbsPort), cellIds, engine, sample });
    files.writeState({ summary, isSampleWell: typeof sample === 'string' || sample.missing.length === 0 });
    summary.forEach(report);
  }

  private async stop(): Promise<void> {
    const { cells, ownEngine: engine, supervisor, report } = this;
    const names = supervisor.names();
    await shutDown({ names, cells, engine, stop: (...names) => supervisor.stop(...names), report });
    this.files.clear();
    if (names.length > 0) report('Everything is stopped; what was desired is kept for the next start.');
  }

  private async choosePort(ports: Ports, wanted: number | undefined): Promise<number> {
    if (wanted === undefined) return ports.kept(join(this.layout.state, 'bbs.port'), DEFAULT_PORT);
    if (await ports.take(wanted)) return wanted;
    throw new Error(`Port ${wanted} of 127.0.0.1 is in use; give another one with --port, or none.`);
  }

  private async startRedis({ own }: RedisPlan, signal: AbortSignal): Promise<void> {
    if (own === undefined) {
      this.report('Redis: as the environment says.');
      return;
    }
    this.supervisor.start(own.program);
    const isUp = await waitFor(() => redisAnswers(own), {
      signal,
      withinMs: this.remainingMs(),
      everyMs: 50,
    });
    if (!isUp) throw this.notReady([own.program]);
    this.report(`Redis: 127.0.0.1:${own.port}, data in ${this.nameOf('redis')}.`);
  }

  private async startEngine(
    secrets: Secrets,
    { backend }: UpSettings,
    signal: AbortSignal,
  ): Promise<EnginePlan> {
    const plan = await planEngine(this.layout, secrets, backend);
    const ready = plan.own === undefined ? plan : await this.startOwnEngine(plan, plan.own, signal);
    if (backend === 'docker' && ready.backend !== 'docker') {
      throw new Error(`The docker backend cannot be used: ${ready.because}.`);
    }
    this.report(
      ready.backend === 'process'
        ? `Containers: plain processes WITHOUT isolation (${ready.because}).`
        : `Containers: ${ready.backend} (${ready.because}).`,
    );
    return ready;
  }

  private async startOwnEngine(
    plan: EnginePlan,
    own: PrivateEngine,
    signal: AbortSignal,
  ): Promise<EnginePlan> {
    const program = own.prepare();
    this.ownEngine = own;
    this.files.writeLeftBehind({ cells: [], hasOwnEngine: true });
    this.supervisor.start(program);
    if (await waitFor(() => own.answers(), { signal, withinMs: ENGINE_WITHIN_MS })) return plan;
    await this.supervisor.stop(program.name);
    own.cleanUp();
    this.ownEngine = undefined;
    return { backend: 'process', because: `an own Docker Engine does not start, see ${program.logFile}` };
  }

  private async startControlPlane(programs: ClusterProgram[], signal: AbortSignal): Promise<void> {
    programs.forEach((program) => this.supervisor.start(program));
    await this.awaitReady(programs, signal);
    this.report('bbs, auctioneer, converger ready.');
  }

  private async startCells(cells: CellProgram[], api: Api, signal: AbortSignal): Promise<void> {
    this.cells = cells;
    this.files.writeLeftBehind({ cells, hasOwnEngine: this.ownEngine !== undefined });
    cells.forEach((program) => this.supervisor.start(program));
    await this.awaitReady(cells, signal);
    const isPresent = await waitFor(() => arePresent(cells, api), { signal, withinMs: this.remainingMs() });
    if (!isPresent) throw this.notReady(cells);
    this.report(`${cells.map(({ cellId }) => cellId).join(', ')} ready.`);
  }

  private async awaitReady(programs: ClusterProgram[], signal: AbortSignal): Promise<void> {
    const withinMs = this.remainingMs();
    const ready = await Promise.all(
      programs.map(({ readyUrl }) => waitFor(() => answers({ url: readyUrl }), { signal, withinMs })),
    );
    const late = programs.filter((_, index) => !ready[index]);
    if (late.length > 0) throw this.notReady(late);
  }

  /** @returns why there is no sample, or how it is */
  private async startSample(
    { sample }: UpSettings,
    { backend }: EnginePlan,
    api: Api,
    signal: AbortSignal,
  ): Promise<SampleState | string> {
    if (!sample) return 'not asked for';
    if (backend !== 'fake' && baseRootfs(this.layout) === undefined) {
      return 'skipped, because there is no base root file system (npm run setup says why)';
    }
    const instances = await desireSample(api);
    if (backend === 'fake') return 'desired; fake containers have no addresses';
    this.report('Waiting for the sample ...');
    return awaitSample(api, instances, { signal, withinMs: SAMPLE_WITHIN_MS });
  }

  private notReady(programs: Program[]): Error {
    for (const { name, logFile } of programs) {
      this.report(`--- ${name} is not ready; the end of ${logFile}:`);
      tailOf(logFile, 8).forEach((line) => this.report(`    ${line}`));
    }
    return new Error(
      `${programs.map(({ name }) => name).join(', ')} did not become ready; see the logs above.`,
    );
  }

  private remainingMs(): number {
    return this.readyBy - performance.now();
  }

  private nameOf(folder: string): string {
    return relative(process.cwd(), join(this.layout.state, folder));
  }
}

async function arePresent(cells: CellProgram[], api: Api): Promise<boolean> {
  const { status, body } = await api.send('GET', '/v1/cells');
  if (status !== 200) return false;
  const known = (body as { items: { cellId: string; state: string }[] }).items;
  const present = new Set(known.filter(({ state }) => state === 'PRESENT').map(({ cellId }) => cellId));
  return cells.every(({ cellId }) => present.has(cellId));
}

/** For `. .rivera/env`, and for the command `rivera`, which looks there by itself. */
function writeEnvFile({ state }: Layout, api: string, token: string): void {
  const text = `export RIVERA_API=${api}\nexport RIVERA_TOKEN=${token}\n`;
  writeFileSync(join(state, 'env'), text, { mode: 0o600 });
}
