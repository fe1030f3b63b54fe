import type { Container, ProcessSpec } from '#rivera/garden';
import { notFound } from '#rivera/models';

/** What a further process in a container starts from: that of the process the container is for. */
export type ProcessDefaults = Pick<ProcessSpec, 'user' | 'dir' | 'env'>;

export interface Instance {
  container: Container;
  defaults: ProcessDefaults;
}

/** Finds the containers of this cell by instance guid or task guid. */
export interface Instances {
  /** Undefined when there is none, or not yet. */
  enter(guid: string): Promise<Instance | undefined>;
}

/** @throws RiveraError `not-found` */
export async function requireInstance(instances: Instances, guid: string): Promise<Instance> {
  const instance = await instances.enter(guid);
  if (instance === undefined) throw notFound('container of the instance', guid);
  return instance;
}
