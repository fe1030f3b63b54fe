import type Docker from 'dockerode';
import { aDesiredLRP } from '../support/builders.js';
import { type Cluster, startCluster } from '../support/cluster.js';
import { waitFor } from '../support/wait-for.js';
import { RunningWatch } from './running-watch.js';

/** On a cluster of its own. */
export async function measuring(
  options: Parameters<typeof startCluster>[0],
  measure: (cluster: Cluster, watch: RunningWatch) => Promise<void>,
): Promise<void> {
  const cluster = await startCluster({ logFormat: 'json', ...options });
  const watch = await RunningWatch.start(cluster.client);
  try {
    await measure(cluster, watch);
  } finally {
    watch.stop();
    await cluster.stop();
  }
}

/** Something that was made, how long that took in milliseconds, and how to be rid of it. */
export interface Made {
  durationMs: number;
  remove: () => Promise<void>;
}

/** One instance, from the call to the event. */
export async function makeInstance(cluster: Cluster, watch: RunningWatch): Promise<Made> {
  const lrp = aBenchLRP();
  const running = watch.next(lrp.processGuid);
  const began = performance.now();
  await cluster.client.desireLRP(lrp);
  const durationMs = (await running) - began;
  return { durationMs, remove: () => remove(cluster, lrp.processGuid) };
}

/** The same, gone again, with its container, before this returns. */
export async function desireToRunning(cluster: Cluster, watch: RunningWatch): Promise<number> {
  const made = await makeInstance(cluster, watch);
  await made.remove();
  return made.durationMs;
}

export function aBenchLRP() {
  return aDesiredLRP({ rootfs: 'preloaded:base', memoryMb: 32, ports: [8080] });
}

async function remove(cluster: Cluster, processGuid: string): Promise<void> {
  await cluster.client.removeDesiredLRP(processGuid);
  await waitFor(() => cluster.actuals(processGuid), {
    what: 'no instance',
    until: (lrps) => lrps.length === 0,
  });
  if (cluster.options.backend !== 'docker') return;
  const isIts = ({ labels }: { labels: Record<string, string> }) =>
    labels['rivera.property.processGuid'] === processGuid;
  await waitFor(() => cluster.containers(), { what: 'no container', until: (found) => !found.some(isIts) });
}

/** The container that an instance gets, as options to make the same by hand: image, program, limits, port, network. */
export async function templateOf(
  cluster: Cluster,
  watch: RunningWatch,
): Promise<Docker.ContainerCreateOptions> {
  const lrp = aBenchLRP();
  const running = watch.next(lrp.processGuid);
  await cluster.client.desireLRP(lrp);
  await running;
  const [actual] = await cluster.actuals(lrp.processGuid);
  const { Config, HostConfig } = await (await cluster.container(actual?.instanceGuid)).inspect();
  await remove(cluster, lrp.processGuid);
  const { Image, Entrypoint, Cmd, Env, User, WorkingDir } = Config;
  // Any host port, so that several can be there at once.
  const PortBindings = { '8080/tcp': [{ HostPort: '' }] };
  return {
    Image,
    Entrypoint,
    Cmd,
    Env,
    User,
    WorkingDir,
    ExposedPorts: { '8080/tcp': {} },
    // By name: an instance may have been put into a network that was made ahead.
    HostConfig: { ...HostConfig, NetworkMode: 'rivera', PortBindings },
  };
}

/** One container by hand, created and started. */
export async function makeContainer(docker: Docker, template: Docker.ContainerCreateOptions): Promise<Made> {
  const began = performance.now();
  const container = await docker.createContainer(template);
  await container.start();
  const durationMs = performance.now() - began;
  return { durationMs, remove: () => container.remove({ force: true }) };
}

export async function dockerRun(docker: Docker, template: Docker.ContainerCreateOptions): Promise<number> {
  const made = await makeContainer(docker, template);
  await made.remove();
  return made.durationMs;
}
