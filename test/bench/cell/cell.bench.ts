import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { EVENT_LOOP_RESOLUTION_MS } from '#rivera/platform';
import type { Cluster } from '../../support/cluster.js';
import { canStartDockerEngine } from '../../support/docker-engine.js';
import { waitFor } from '../../support/wait-for.js';
import { cpuUs } from '../cpu.js';
import { type BenchContext, percentile } from '../bench.js';
import { aBenchLRP, type Made, makeContainer, makeInstance, measuring, templateOf } from '../instances.js';

/**
 * Not counted: the image is unpacked, connections are made, and code that has run a dozen times only is not compiled yet.
 * An agent and a control plane that have been there for a minute are what is measured.
 */
const WARM_UP = 96;
const ROUNDS = 10;
/** Made for the warm-up, and removed after a round, at the same time. */
const SEVERAL = 8;
const SETTLE_MS = 5_000;
const CHECK_INTERVAL_MS = 200;
/** Numbered lines of a hundred bytes, for ever. */
const CHATTY_LINE_BYTES = 100;
const CHATTY = {
  path: '/bin/sh',
  args: [
    '-c',
    `exec awk 'BEGIN { x = sprintf("%91s", ""); gsub(/ /, "x", x); for (;;) printf "%08d%s\\n", i++, " " x }'`,
  ],
  user: 'vcap',
};
const MICROSECONDS_PER_MILLISECOND = 1_000;

/**
 * Instances through the whole of Rivera beside the same containers made by hand, on one engine, in turns: how long one
 * takes and how many a second. And what an agent costs that has nothing to do but watch.
 */
export async function bench(context: BenchContext): Promise<void> {
  if (!process.env.RIVERA_TEST_DOCKER_HOST && !(await canStartDockerEngine())) {
    throw new Error('This benchmark needs a Docker Engine: install dockerd, or set RIVERA_TEST_DOCKER_HOST.');
  }
  const groups = { create, warm, idle, chatter };
  for (const [name, run] of Object.entries(groups)) if (context.isWanted(name)) await run(context);
}

async function create(context: BenchContext): Promise<void> {
  await measuring({ cells: 1, backend: 'docker' }, async (cluster, watch) => {
    const template = await templateOf(cluster, watch);
    const rivera = () => makeInstance(cluster, watch);
    const bare = () => makeContainer(cluster.docker, template);
    await warmUp(context, [rivera, bare]);
    for (const atOnce of [1, 8]) {
      await beside(context, { name: `create-${atOnce}`, atOnce, rivera, bare });
    }
  });
}

function idle(context: BenchContext): Promise<void> {
  return measuring({ cells: 1, backend: 'docker' }, (cluster) => watchIdle(context, cluster));
}

function chatter(context: BenchContext): Promise<void> {
  const cellEnv = { LOG_LINES_PER_SECOND: '0', HEALTHY_INTERVAL_MS: `${CHECK_INTERVAL_MS}` };
  return measuring({ cells: 1, backend: 'docker', cellEnv }, (cluster) => watchChatter(context, cluster));
}

/** With networks that wait for the instances; there are enough of them for a round, and a round begins when all are there. */
async function warm(context: BenchContext): Promise<void> {
  const size = context.isSmoke ? 8 : 32;
  const cellEnv = { WARM_SANDBOXES: `${size}` };
  await measuring({ cells: 1, backend: 'docker', cellEnv }, async (cluster, watch) => {
    const template = await templateOf(cluster, watch);
    const rivera = () => makeInstance(cluster, watch);
    const bare = () => makeContainer(cluster.docker, template);
    const ready = () => untilWarm(cluster, size);
    await warmUp(context, [rivera, bare]);
    for (const atOnce of [1, 8]) {
      await beside(context, { name: `warm-${atOnce}`, atOnce, rivera, bare, ready });
    }
  });
}

async function untilWarm(cluster: Cluster, size: number): Promise<void> {
  const filters = { label: [`rivera.sandbox.owner=${cluster.id}/cell-1`] };
  await waitFor(() => cluster.docker.listContainers({ filters }), {
    what: `${size} networks wait`,
    until: (found) => found.length === size,
    timeoutMs: 120_000,
  });
}

async function warmUp(context: BenchContext, makers: (() => Promise<Made>)[]): Promise<void> {
  context.progress('warm-up');
  for (const make of makers) {
    await severalAtOnce(context.isSmoke ? 3 : WARM_UP, SEVERAL, async () => (await make()).remove());
  }
}

/** Does it so many times, a few at a time. */
async function severalAtOnce(times: number, atOnce: number, run: () => Promise<void>): Promise<void> {
  let left = times;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await run();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

interface Pair {
  name: string;
  atOnce: number;
  rivera: () => Promise<Made>;
  bare: () => Promise<Made>;
  /** Awaited before each round. */
  ready?: () => Promise<void>;
}

/** In rounds that take turns, so that what else the machine does hits both. */
async function beside(context: BenchContext, { name, atOnce, rivera, bare, ready }: Pair): Promise<void> {
  const rounds = context.isSmoke ? 1 : ROUNDS;
  const each = context.isSmoke ? atOnce : 8 * Math.max(1, atOnce / 2);
  context.progress(`${name}: ${rounds} rounds of ${each} each`);
  const [ofRivera, ofBare] = [new Sample(), new Sample()];
  for (let round = 0; round < rounds; round += 1) {
    await ready?.();
    await ofRivera.take(rivera, each, atOnce);
    await ready?.();
    await ofBare.take(bare, each, atOnce);
  }
  const report = (metric: string, value: number, unit: string) =>
    context.report({ case: name, metric, value, unit });
  report('p50_ms', ofRivera.p50, 'ms');
  report('bare_p50_ms', ofBare.p50, 'ms');
  report('latency_ratio', ofRivera.p50 / ofBare.p50, 'ratio');
  report('per_second', ofRivera.perSecond, '1/s');
  report('bare_per_second', ofBare.perSecond, '1/s');
  report('throughput_ratio', ofRivera.perSecond / ofBare.perSecond, 'ratio');
}

/** Durations of making one, and how many were made in a second. Removing them is not counted. */
class Sample {
  private readonly durations: number[] = [];
  private elapsedMs = 0;

  async take(make: () => Promise<Made>, count: number, atOnce: number): Promise<void> {
    const made: Made[] = [];
    const began = performance.now();
    await severalAtOnce(count, atOnce, async () => void made.push(await make()));
    this.elapsedMs += performance.now() - began;
    this.durations.push(...made.map(({ durationMs }) => durationMs));
    await severalAtOnce(count, SEVERAL, () => made.pop()!.remove());
  }

  get p50(): number {
    return percentile(this.durations, 0.5);
  }

  get perSecond(): number {
    return (this.durations.length / this.elapsedMs) * 1_000;
  }
}

/** Memory and processor time of the agent while so many containers run and nothing happens. */
async function watchIdle(context: BenchContext, cluster: Cluster): Promise<void> {
  const lrp = { ...aBenchLRP(), instances: 0, memoryMb: 6, diskMb: 8, ports: [] };
  await cluster.client.desireLRP(lrp);
  for (const instances of context.isSmoke ? [0, 2] : [0, 50, 200]) {
    context.progress(`idle-${instances}`);
    await cluster.client.updateDesiredLRP(lrp.processGuid, { instances });
    await cluster.untilRunning(lrp.processGuid, instances, 300_000);
    await sleep(context.isSmoke ? 1_000 : SETTLE_MS);
    const { pid } = cluster.program('cell-1');
    const forMs = context.isSmoke ? 1_000 : 30_000;
    const [before, began] = [await cpuUs([pid]), performance.now()];
    await sleep(forMs);
    const usedMs = ((await cpuUs([pid])) - before) / MICROSECONDS_PER_MILLISECOND;
    const name = `idle-${instances}`;
    const percent = (100 * usedMs) / (performance.now() - began);
    context.report({ case: name, metric: 'rss_mb', value: await residentMb(pid), unit: 'MB' });
    context.report({ case: name, metric: 'cpu_percent', value: percent, unit: '% of one core' });
  }
}

/**
 * One instance writes as fast as it is read, unlimited, beside others that are checked five times a second: how much of
 * it is taken, whether a check of the others fails for it, and how late the agent is for what it has to do.
 */
async function watchChatter(context: BenchContext, cluster: Cluster): Promise<void> {
  const others = context.isSmoke ? 2 : 10;
  const forMs = context.isSmoke ? 2_000 : 20_000;
  const checked = {
    ...aBenchLRP(),
    instances: others,
    action: { run: { path: '/bin/web', user: 'vcap' } },
    checkDefinition: { checks: [{ httpCheck: { port: 8080, intervalMs: CHECK_INTERVAL_MS } }] },
  };
  const chatty = { ...aBenchLRP(), ports: [], action: { run: CHATTY } };
  await cluster.client.desireLRP(checked);
  await cluster.untilRunning(checked.processGuid, others);
  context.progress('chatter');
  await cluster.client.desireLRP(chatty);
  await cluster.untilRunning(chatty.processGuid, 1);
  await newestLine(cluster, chatty.processGuid);
  const [first, began] = [await newestLine(cluster, chatty.processGuid), performance.now()];
  await sleep(forMs);
  const lines = (await newestLine(cluster, chatty.processGuid)) - first;
  const seconds = (performance.now() - began) / 1_000;
  const instances = await cluster.actuals(checked.processGuid);
  const crashes = instances.reduce((sum, { crashCount }) => sum + crashCount, 0);
  const report = (metric: string, value: number, unit: string) =>
    context.report({ case: 'chatter', metric, value, unit });
  report('lines_per_second', lines / seconds, '1/s');
  report('mb_per_second', (lines * CHATTY_LINE_BYTES) / 1e6 / seconds, 'MB/s');
  report('others_crashed', crashes, 'instances');
  report('loop_lag_p99_ms', await loopLagMs(cluster), 'ms');
}

/** Its lines are numbered. */
async function newestLine(cluster: Cluster, processGuid: string): Promise<number> {
  const read = async (): Promise<string | undefined> => {
    let newest: string | undefined;
    for await (const item of cluster.client.logs(processGuid, { tail: 1 })) {
      if ('line' in item && /^\d+ x+$/.test(item.line.text)) newest = item.line.text;
    }
    return newest;
  };
  const line = await waitFor(read, {
    what: 'a line of the chatty one',
    until: (found) => found !== undefined,
  });
  return Number(line?.split(' ')[0]);
}

async function loopLagMs(cluster: Cluster): Promise<number> {
  const { env } = cluster.program('cell-1').options;
  const metrics = await (await fetch(`http://${env.HEALTH_LISTEN}/metrics`)).text();
  const p99 = Number(/^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(metrics)?.[1]) * 1_000;
  return p99 - EVENT_LOOP_RESOLUTION_MS;
}

async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024;
}
