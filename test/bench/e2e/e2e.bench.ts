import type Docker from 'dockerode';
import { aDesiredLRP } from '../../support/builders.js';
import { Cluster, startCluster } from '../../support/cluster.js';
import { canStartDockerEngine } from '../../support/docker-engine.js';
import { waitFor } from '../../support/wait-for.js';
import { type BenchContext, percentile, reportLatency } from '../bench.js';
import { RunningWatch } from './running-watch.js';

/** Not counted: the image is unpacked, connections are made, code is compiled. */
const WARM_UP = 3;

/**
 * From a client's POST of an LRP with one instance to the event that it is RUNNING, one after the other; in turns with
 * the same container created and started by hand on the same engine. And the same with containers that cost nothing.
 */
export async function bench(context: BenchContext): Promise<void> {
  if (process.env.RIVERA_TEST_DOCKER_HOST || (await canStartDockerEngine())) await benchDocker(context);
  else context.progress('No Docker Engine can be had: only the control plane is measured.');
  await benchControlPlane(context);
}

async function benchDocker(context: BenchContext): Promise<void> {
  const count = context.isSmoke ? 3 : 40;
  context.progress(`desire-to-running and docker-run: ${count} each, in turns`);
  await measuring({ cells: 1, backend: 'docker' }, async (cluster, watch) => {
    const template = await templateOf(cluster, watch);
    const desired: number[] = [];
    const bare: number[] = [];
    for (let run = 0; run < WARM_UP + count; run += 1) {
      desired.push(await desireToRunning(cluster, watch));
      bare.push(await dockerRun(cluster.docker, template));
    }
    reportLatency(context, 'desire-to-running', desired.slice(WARM_UP));
    reportLatency(context, 'docker-run', bare.slice(WARM_UP));
    const added = desired.map((duration, run) => duration - (bare[run] ?? Number.NaN)).slice(WARM_UP);
    context.report({
      case: 'added-to-docker-run',
      metric: 'p50_ms',
      value: percentile(added, 0.5),
      unit: 'ms',
    });
  });
}

async function benchControlPlane(context: BenchContext): Promise<void> {
  const count = context.isSmoke ? 10 : 300;
  context.progress(`control-plane: ${count}`);
  await measuring({ cells: 2, backend: 'fake' }, async (cluster, watch) => {
    const durations: number[] = [];
    const warmUp = context.isSmoke ? WARM_UP : 50;
    for (let run = 0; run < warmUp + count; run += 1) durations.push(await desireToRunning(cluster, watch));
    reportLatency(context, 'control-plane', durations.slice(warmUp));
  });
}

async function measuring(
  options: ConstructorParameters<typeof Cluster>[0],
  measure: (cluster: Cluster, watch: RunningWatch) => Promise<void>,
): Promise<void> {
  const cluster = await startCluster(options);
  const watch = await RunningWatch.start(cluster.client);
  try {
    await measure(cluster, watch);
  } finally {
    watch.stop();
    await cluster.stop();
  }
}

/** One instance, from the call to the event. It is gone again, with its container, before this returns. */
async function desireToRunning(cluster: Cluster, watch: RunningWatch): Promise<number> {
  const lrp = aBenchLRP();
  const running = watch.next(lrp.processGuid);
  const began = performance.now();
  await cluster.client.desireLRP(lrp);
  const duration = (await running) - began;
  await remove(cluster, lrp.processGuid);
  return duration;
}

function aBenchLRP() {
  return aDesiredLRP({ rootfs: 'preloaded:base', memoryMb: 32, ports: [8080] });
}

async function remove(cluster: Cluster, processGuid: string): Promise<void> {
  await cluster.client.removeDesiredLRP(processGuid);
  await waitFor(() => cluster.actuals(processGuid), {
    what: 'no instance',
    until: (lrps) => lrps.length === 0,
  });
  if (cluster.options.backend !== 'docker') return;
  await waitFor(() => cluster.containers(), { what: 'no container', until: (found) => found.length === 0 });
}

/** The container that an instance gets, as options to make the same by hand: image, program, limits, port, network. */
async function templateOf(cluster: Cluster, watch: RunningWatch): Promise<Docker.ContainerCreateOptions> {
  const lrp = aBenchLRP();
  const running = watch.next(lrp.processGuid);
  await cluster.client.desireLRP(lrp);
  await running;
  const [actual] = await cluster.actuals(lrp.processGuid);
  const { Config, HostConfig } = await (await cluster.container(actual?.instanceGuid)).inspect();
  await remove(cluster, lrp.processGuid);
  const { Image, Entrypoint, Cmd, Env, User, WorkingDir, ExposedPorts } = Config;
  return { Image, Entrypoint, Cmd, Env, User, WorkingDir, ExposedPorts, HostConfig };
}

async function dockerRun(docker: Docker, template: Docker.ContainerCreateOptions): Promise<number> {
  const began = performance.now();
  const container = await docker.createContainer(template);
  await container.start();
  const duration = performance.now() - began;
  await container.remove({ force: true });
  return duration;
}
