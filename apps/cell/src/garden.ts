import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  DockerGarden,
  FakeGarden,
  FakeHost,
  FakeJournal,
  type Garden,
  playShell,
  ProcessGarden,
} from '#rivera/garden';
import { RiveraError } from '#rivera/models';
import type { RiveraLogger } from '#rivera/platform';
import type { CellConfig, ContainerConfig } from './cell.config.js';
import { mountableDirectories } from './cell-services.js';

const RETRY_MS = 1_000;

/** The configured source of containers. Waits for a Docker Engine that does not answer yet. */
export async function openGarden(
  config: CellConfig,
  containers: ContainerConfig,
  logger: RiveraLogger,
): Promise<Garden> {
  const { owner, stacks, capacity, dataDir, sandboxInit, address, fakeMachine } = config;
  switch (config.backend) {
    case 'docker':
      for (;;) {
        try {
          return await DockerGarden.connect({
            owner,
            stacks,
            capacity,
            sandboxInit,
            imageRecord: join(resolve(dataDir), 'images.json'),
            bindMountSources: mountableDirectories(config, containers),
            ...(containers.dns.length === 0 ? {} : { dns: containers.dns }),
          });
        } catch (error) {
          if (!(error instanceof RiveraError) || error.code !== 'unavailable') throw error;
          logger.warn('waiting-for-docker', { reason: error.message });
          await sleep(RETRY_MS);
        }
      }
    case 'process':
      logger.warn('containers-are-not-isolated', {
        advice:
          'The process backend runs programs as plain processes of this host. Use it to try Rivera, not to run others’ code.',
      });
      return ProcessGarden.open({ owner, stacks, capacity, directory: dataDir, address });
    case 'fake':
      return new FakeGarden({
        owner,
        stacks: Object.keys(stacks),
        capacity,
        ...(fakeMachine !== undefined && {
          host: new FakeHost({ journal: FakeJournal.open(fakeMachine), script: playShell }),
        }),
      });
  }
}
