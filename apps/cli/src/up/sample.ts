import type { ActualLRP, DesiredLRP } from '#rivera/models';

import type { Api } from './api.js';
import { answers } from './http-request.js';
import { waitFor } from './wait.js';

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

/** Desires the sample; it may be there from an earlier start. */
export async function desireSample(api: Api): Promise<void> {
  const { status, body } = await api.send('POST', '/v1/desired-lrps', SAMPLE);
  if (status >= 300 && status !== 409) {
    throw new Error(`The sample was refused with status ${status}: ${JSON.stringify(body)}`);
  }
}

export interface SampleState {
  /** `http://host:port` of the instances that answer. */
  answering: string[];
  /** Why the others do not, in words. */
  missing: string[];
}

/** Waits until all instances run and answer; when that takes too long, says what is wrong. */
export async function awaitSample(api: Api, signal: AbortSignal, withinMs: number): Promise<SampleState> {
  let latest: SampleState = { answering: [], missing: ['nothing is known of its instances'] };
  await waitFor(
    async () => {
      latest = await probe(await listInstances(api));
      return latest.missing.length === 0 && latest.answering.length >= SAMPLE.instances;
    },
    { signal, withinMs, everyMs: 250 },
  );
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
