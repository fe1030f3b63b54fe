import { asking, statusOf } from './engine-error.js';
import type { Engine } from './engine.js';

const NETWORK = 'rivera';
const DEFAULT_NETWORK = 'bridge';

/**
 * The network of all containers, shared by all owners of an engine: a bridge on which containers cannot reach each
 * other. An engine that refuses to make it leaves us its default bridge.
 *
 * The engine does not keep names of networks unique, and starts no container on one whose name is ambiguous, not even
 * by its id. Two agents that begin at once may both make one: whoever sees several afterwards leaves only the oldest.
 */
export async function provideNetwork(engine: Engine): Promise<string> {
  if ((await findNetworks(engine)).length === 0) await createNetwork(engine);
  const [oldest, ...others] = await findNetworks(engine);
  await Promise.all(others.map((network) => removeNetwork(engine, network)));
  return oldest === undefined ? DEFAULT_NETWORK : NETWORK;
}

async function createNetwork(engine: Engine): Promise<void> {
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
}

/** One that is in use, or that another agent has removed already, is left to it. */
async function removeNetwork(engine: Engine, id: string): Promise<void> {
  try {
    await engine.api.getNetwork(id).remove();
  } catch (error) {
    if (statusOf(error) === undefined) throw error;
  }
}

/** Oldest first. */
async function findNetworks(engine: Engine): Promise<string[]> {
  const networks = await asking('The networks of the Docker Engine could not be listed', () =>
    engine.api.listNetworks({ filters: { name: [NETWORK] } }),
  );
  // The filter matches parts of names.
  return networks
    .filter(({ Name }) => Name === NETWORK)
    .toSorted((a, b) => (a.Created < b.Created ? -1 : a.Created > b.Created ? 1 : a.Id < b.Id ? -1 : 1))
    .map(({ Id }) => Id);
}
