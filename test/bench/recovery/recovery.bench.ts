import { setTimeout as sleep } from 'node:timers/promises';
import { aShellLRP } from '../../e2e/workloads.js';
import { type Cluster, type ClusterOptions, startCluster } from '../../support/cluster.js';
import { canStartDockerEngine } from '../../support/docker-engine.js';
import { waitFor } from '../../support/wait-for.js';
import { type BenchContext, percentile } from '../bench.js';
import { makeInstance } from '../instances.js';
import { RunningWatch } from '../running-watch.js';
import { type LeaderRole, LeaseWatch } from '../../support/lease-watch.js';
import { measureDrain } from './drain.js';

const WAIT_MS = 60_000;
/** Crashes are what is measured, so none of them is put off. */
const RESTART_POLICY = { immediateRestarts: 1_000, maxRestarts: 10_000 };

/** How long it takes until something that was killed is made up for; each case on a cluster of its own. */
export async function bench(context: BenchContext): Promise<void> {
  const { isSmoke } = context;
  if (process.env.RIVERA_TEST_DOCKER_HOST || (await canStartDockerEngine())) {
    await containerKilled(context, isSmoke ? 3 : 40);
  } else context.progress('No Docker Engine can be had: no container is killed.');
  await cellKilled(context, { ttlMs: 3_000, runs: isSmoke ? 1 : 12, instances: 20 });
  await cellKilled(context, { ttlMs: 15_000, runs: isSmoke ? 1 : 6, instances: 20 });
  const leaders = { leaseTtlMs: 6_000, runs: isSmoke ? 1 : 12 };
  await leaderKilled(context, leaders);
  await leaderEnded(context, { ...leaders, role: 'converger', signal: 'SIGKILL' });
  await leaderEnded(context, { ...leaders, role: 'auctioneer', signal: 'SIGTERM' });
  await leaderEnded(context, { ...leaders, role: 'converger', signal: 'SIGTERM' });
  await redisKilled(context, isSmoke ? 2 : 30);
  await measureDrain(context);
}

interface LeaderRuns {
  leaseTtlMs: number;
  runs: number;
}

async function on(options: ClusterOptions, measure: (cluster: Cluster) => Promise<void>): Promise<void> {
  const cluster = await startCluster({ logFormat: 'json', ...options });
  try {
    await measure(cluster);
  } finally {
    await cluster.stop();
  }
}

/** From SIGKILL to the only process of a container until the index is RUNNING again, in a new one. */
function containerKilled(context: BenchContext, runs: number): Promise<void> {
  context.progress(`container-killed: ${runs} times`);
  return on({ cells: 1, backend: 'docker' }, async (cluster) => {
    const lrp = aShellLRP('sleep 7200', { restartPolicy: RESTART_POLICY });
    const watch = await RunningWatch.start(cluster.client);
    const first = watch.next(lrp.processGuid);
    await cluster.client.desireLRP(lrp);
    await first;
    const times: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      const [actual] = await cluster.untilRunning(lrp.processGuid, 1);
      const container = await cluster.container(actual?.instanceGuid);
      const again = watch.next(lrp.processGuid);
      const began = performance.now();
      await container.kill();
      times.push((await again) - began);
    }
    watch.stop();
    reportTimes(context, 'container-killed', times);
  });
}

/** From SIGKILL to an agent, which takes its fake containers with it, until all that it ran runs elsewhere. */
function cellKilled(
  context: BenchContext,
  { ttlMs, runs, instances }: { ttlMs: number; runs: number; instances: number },
): Promise<void> {
  context.progress(`cell-killed with a presence TTL of ${ttlMs} ms: ${runs} times`);
  return on({ cells: 3, backend: 'fake', presenceTtlMs: ttlMs }, async (cluster) => {
    const lrp = aShellLRP('sleep 7200', { instances });
    await cluster.client.desireLRP(lrp);
    await cluster.untilRunning(lrp.processGuid, instances);
    const times: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      const victim = cluster.cellNames[run % cluster.cellNames.length]!;
      // Some moment between two renewals.
      await sleep((ttlMs / 3) * (run / runs));
      const began = performance.now();
      await cluster.kill9(victim);
      await waitFor(() => cluster.actuals(lrp.processGuid), {
        what: 'all run elsewhere',
        until: (lrps) =>
          new Set(
            lrps
              .filter(({ state, cellId }) => state === 'RUNNING' && cellId !== victim)
              .map(({ index }) => index),
          ).size === instances,
        timeoutMs: WAIT_MS,
        intervalMs: 20,
      });
      times.push(performance.now() - began);
      await cluster.startProgram(victim);
      await cluster.untilRunning(lrp.processGuid, instances, WAIT_MS);
    }
    reportTimes(context, `cell-killed-ttl-${ttlMs / 1_000}s`, times);
  });
}

/**
 * From SIGKILL to the active auctioneer until the standby holds the lease, and until an instance that is desired right
 * then runs.
 */
function leaderKilled(context: BenchContext, { leaseTtlMs, runs }: LeaderRuns): Promise<void> {
  context.progress(`leader-killed with a lease TTL of ${leaseTtlMs} ms: ${runs} times`);
  return on({ cells: 2, backend: 'fake', replicas: 2, leaseTtlMs }, async (cluster) => {
    const watch = await RunningWatch.start(cluster.client);
    const leases = new LeaseWatch(cluster, 'auctioneer');
    const takeovers: number[] = [];
    const placements: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      const leader = await leases.leader();
      await (await makeInstance(cluster, watch)).remove();
      const next = await leases.next();
      const began = performance.now();
      await cluster.kill9(leader);
      const [made, takenAt] = await Promise.all([makeInstance(cluster, watch), next.taken()]);
      placements.push(made.durationMs);
      takeovers.push(takenAt - began);
      await made.remove();
      await cluster.startProgram(leader);
    }
    watch.stop();
    leases.close();
    reportTimes(context, 'lease-of-killed-auctioneer', takeovers);
    reportTimes(context, 'leader-killed', placements);
  });
}

/** From a signal to the active converger or auctioneer until the standby holds the lease. */
function leaderEnded(
  context: BenchContext,
  { leaseTtlMs, runs, role, signal }: LeaderRuns & { role: LeaderRole; signal: 'SIGKILL' | 'SIGTERM' },
): Promise<void> {
  const name = `lease-of-${signal === 'SIGKILL' ? 'killed' : 'stopped'}-${role}`;
  context.progress(`${name} with a lease TTL of ${leaseTtlMs} ms: ${runs} times`);
  return on({ cells: 0, backend: 'fake', replicas: 2, leaseTtlMs }, async (cluster) => {
    const leases = new LeaseWatch(cluster, role);
    const times: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      const leader = await leases.leader();
      // Some moment between two renewals.
      await sleep((leaseTtlMs / 3) * (run / runs));
      const next = await leases.next();
      const began = performance.now();
      const ended = signal === 'SIGKILL' ? cluster.kill9(leader) : cluster.program(leader).stop();
      times.push((await next.taken()) - began);
      await ended;
      await cluster.startProgram(leader);
    }
    leases.close();
    reportTimes(context, name, times);
  });
}

/** From SIGKILL to Redis, which is started again at once, until a client's write is accepted. */
function redisKilled(context: BenchContext, runs: number): Promise<void> {
  context.progress(`redis-killed: ${runs} times`);
  return on({ cells: 1, backend: 'fake', redis: { appendonly: true } }, async (cluster) => {
    const client = cluster.connect({ maxAttempts: 1, timeoutMs: 2_000 });
    const times: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      const began = performance.now();
      await cluster.redis.kill9();
      const restarted = cluster.redis.restart();
      await waitFor(() => client.upsertDomain('probe', 60), {
        what: 'a write is accepted',
        until: () => true,
        timeoutMs: WAIT_MS,
        intervalMs: 5,
      });
      times.push(performance.now() - began);
      await restarted;
    }
    reportTimes(context, 'redis-killed', times);
  });
}

export function reportTimes(context: BenchContext, name: string, times: readonly number[]): void {
  const report = (metric: string, value: number, unit: string): void =>
    context.report({ case: name, metric, value, unit });
  report('runs', times.length, 'count');
  for (const [metric, share] of [
    ['p50_ms', 0.5],
    ['p90_ms', 0.9],
    ['max_ms', 1],
  ] as const) {
    report(metric, percentile(times, share), 'ms');
  }
}
