import { RiveraError } from '#rivera/models';

/** Diego executor: how far a container is. */
export const CONTAINER_STATES = ['reserved', 'initializing', 'created', 'running', 'completed'] as const;
export type ContainerState = (typeof CONTAINER_STATES)[number];

/** Whatever its state, a container may complete; it never leaves that state. */
const NEXT: Record<ContainerState, readonly ContainerState[]> = {
  reserved: ['initializing', 'completed'],
  initializing: ['created', 'completed'],
  created: ['running', 'completed'],
  running: ['completed'],
  completed: [],
};

export function mayBecome(from: ContainerState, to: ContainerState): boolean {
  return NEXT[from].includes(to);
}

/** Rejects a step that is not in the table with `invalid-state-transition`. */
export function requireTransition(from: ContainerState, to: ContainerState): void {
  if (mayBecome(from, to)) return;
  throw new RiveraError(
    'invalid-state-transition',
    `container cannot transition to given state: it is ${from}, not ready to become ${to}`,
  );
}
