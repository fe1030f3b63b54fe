import { asking, statusOf } from './engine-error.js';
import type { Engine } from './engine.js';

const NETWORK = 'rivera';
const DEFAULT_NETWORK = 'bridge';

/**
 * The network of all containers, shared by all owners of an engine: a bridge on which containers cannot reach each
 * other. Answers its id (two agents that begin at once may both make one; each takes the same). An engine that refuses
 * to make it leaves us its default bridge.
 */
export async function provideNetwork(engine: Engine): Promise<string> {
  const existing = await findNetwork(engine);
  if (existing) return existing;
  try {
    await engine.api.createNetwork({
      Name: NETWORK,
      Driver: 'bridge',
      CheckDuplicate: true,
      Options: { 'com.docker.network.bridge.enable_icc': 'false' },
    });
  } catch (error) {
    if (statusOf(error) === undefined) throw error;
  }
  return (await findNetwork(engine)) ?? DEFAULT_NETWORK;
}

async function findNetwork(engine: Engine): Promise<string | undefined> {
  const networks = await asking('The networks of the Docker Engine could not be listed', () =>
    engine.api.listNetworks({ filters: { name: [NETWORK] } }),
  );
  // The filter matches parts of names.
  const ids = networks.filter(({ Name }) => Name === NETWORK).map(({ Id }) => Id);
  return ids.toSorted()[0];
}
