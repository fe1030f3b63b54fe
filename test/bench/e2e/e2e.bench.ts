import { canStartDockerEngine } from '../../support/docker-engine.js';
import { type BenchContext, percentile, reportLatency } from '../bench.js';
import { desireToRunning, dockerRun, measuring, templateOf } from '../instances.js';

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
