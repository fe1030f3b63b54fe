import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { ProcessGarden } from '#rivera/garden';
import { gardenConformance } from '../../libs/garden/src/garden.conformance.js';
import { buildRootfs } from '../support/rootfs.js';

gardenConformance('process', async () => {
  const rootfs = await buildRootfs();
  const directory = await mkdtemp(join(tmpdir(), 'rivera-process-garden-'));
  const { username, uid } = userInfo();
  return {
    open: (owner) => ProcessGarden.open({ owner, directory, stacks: { base: rootfs.tar } }),
    rootfs: 'preloaded:base',
    user: { name: username, uid },
    hasRealProcesses: true,
    close: async () => {
      await rootfs.remove();
      await rm(directory, { recursive: true, force: true });
    },
  };
});
