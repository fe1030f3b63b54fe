import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { RiveraError } from '#rivera/models';
import { askingUnless } from './engine-error.js';

const NOT_MODIFIED = 304;
const AMBIGUOUS_NETWORK = /network \S+ is ambiguous/;
const START_TRIES = 20;
const START_PAUSE_MS = 250;

/**
 * Starts a container that exists. While agents that begin at once sort out whose network stays, its name is ambiguous for
 * a moment.
 */
export async function startEngineContainer(container: Docker.Container, what: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await askingUnless([NOT_MODIFIED], what, () => container.start());
      return;
    } catch (error) {
      const isPassing = error instanceof RiveraError && AMBIGUOUS_NETWORK.test(error.message);
      if (!isPassing || tries === START_TRIES) throw error;
      await sleep(START_PAUSE_MS);
    }
  }
}
