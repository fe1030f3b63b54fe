import type { Container, ContainerSpec, Garden } from '#rivera/garden';
import { RiveraError } from '#rivera/models';

/**
 * The container of a spec: the one an earlier agent left, if its main process still runs or its end can still be read;
 * otherwise a new one. What cannot be taken up again (half made, or several processes that lost their agent) is removed.
 */
export async function openContainer(
  garden: Garden,
  spec: ContainerSpec,
): Promise<{ container: Container; isAdopted: boolean }> {
  const left = await lookup(garden, spec.handle);
  if (left !== undefined) {
    const { state } = await left.info();
    if (spec.main !== undefined && state !== 'created') return { container: left, isAdopted: true };
    await garden.destroy(spec.handle);
  }
  return { container: await garden.create(spec), isAdopted: false };
}

async function lookup(garden: Garden, handle: string): Promise<Container | undefined> {
  try {
    return await garden.lookup(handle);
  } catch (error) {
    if (error instanceof RiveraError && error.code === 'not-found') return undefined;
    throw error;
  }
}
