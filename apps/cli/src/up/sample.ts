import type { ActualLRP, DesiredLRP } from '#rivera/models';

import type { Api } from './api.js';
import { answers } from './http-request.js';
import { waitFor, type Waiting } from './wait.js';

export const SAMPLE_GUID = 'sample';

const SAMPLE = {
  processGuid: SAMPLE_GUID,
  domain: 'rivera-samples',
  rootfs: 'preloaded:base',
  instances: 2,
  memoryMb: 64,
  diskMb: 64,
  ports: [8080],
  action: { run: { path: '/bin/web', user: 'vcap' } },
} satisfies Omit<DesiredLRP, 'modificationTag'>;

/**
 * Desires the sample. When it is there from an earlier start it stays as it is, and instances that wait out a crash
 * back-off start at once.
 *
 * @returns how many instances there will be
 */
export async function desireSample(api: Api): Promise<number> {
  const { status, body } = await api.send('POST', '/v1/desired-lrps', SAMPLE);
  if (status === 409) {
    await retireCrashed(api);
    const { body: existing } = await api.send('GET', `/v1/desired-lrps/${SAMPLE_GUID}`);
    return (existing as Partial<DesiredLRP> | undefined)?.instances ?? SAMPLE.instances;
  }
  if (status >= 300 || status === 0) {
    throw new Error(`The sample was refused with status ${status}: ${JSON.stringify(body)}`);
  }
  return SAMPLE.instances;
}

async function retireCrashed(api: Api): Promise<void> {
  const crashed = (await listInstances(api)).filter(({ state }) => state === 'CRASHED');
  await Promise.all(
    crashed.map(({ index }) => api.send('DELETE', `/v1/actual-lrps/${SAMPLE_GUID}/${index}`)),
  );
}

export interface SampleState {
  /** `http://host:port` of the instances that answer. */
  answering: string[];
  /** Why the others do not, in words. */
  missing: string[];
}

/** Waits until that many instances run and answer; when it takes too long, says what is wrong. */
export async function awaitSample(
  api: Api,
  instances: number,
  { signal, withinMs }: Waiting,
): Promise<SampleState> {
  let latest: SampleState = { answering: [], missing: [] };
  await waitFor(
    async () => {
      latest = await probe(await listInstances(api));
      return latest.missing.length === 0 && latest.answering.length >= instances;
    },
    { signal, withinMs, everyMs: 250 },
  );
  const unknown = instances - latest.answering.length - latest.missing.length;
  if (unknown > 0) latest.missing.push(`nothing is known of ${unknown} instances`);
  return latest;
}

async function listInstances(api: Api): Promise<ActualLRP[]> {
  const { status, body } = await api.send('GET', `/v1/actual-lrps?processGuid=${SAMPLE_GUID}`);
  return status === 200 ? (body as { items: ActualLRP[] }).items : [];
}

async function probe(instances: ActualLRP[]): Promise<SampleState> {
  const state: SampleState = { answering: [], missing: [] };
  await Promise.all(
    instances.map(async (instance) => {
      const url = addressOf(instance);
      if (url !== undefined && (await answers({ url, timeout: 1_000 }))) state.answering.push(url);
      else state.missing.push(describe(instance, url));
    }),
  );
  state.answering.sort();
  return state;
}

function addressOf({ state, netInfo }: ActualLRP): string | undefined {
  const port = netInfo?.ports.find(({ containerPort }) => containerPort === SAMPLE.ports[0]);
  return state === 'RUNNING' && port !== undefined
    ? `http://${netInfo?.address}:${port.hostPort}`
    : undefined;
}

function describe(instance: ActualLRP, url: string | undefined): string {
  const { index, state, placementError, crashReason } = instance;
  const why = url === undefined ? (placementError ?? crashReason) : `${url} does not answer`;
  return `instance ${index} is ${state}${why === undefined ? '' : ` (${why})`}`;
}
