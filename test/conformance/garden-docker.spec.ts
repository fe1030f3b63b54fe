import { DockerGarden } from '#rivera/garden';
import { gardenConformance } from '../../libs/garden/src/garden.conformance.js';
import { canStartDockerEngine, startDockerEngine } from '../support/docker-engine.js';
import { buildRootfs } from '../support/rootfs.js';

const hasEngine = process.env.RIVERA_TEST_DOCKER_HOST !== undefined || (await canStartDockerEngine());

if (hasEngine) {
  gardenConformance('docker', async () => {
    const [engine, rootfs] = await Promise.all([startDockerEngine(), buildRootfs()]);
    return {
      open: (owner) =>
        DockerGarden.connect({
          owner,
          host: engine.dockerHost,
          stacks: { base: rootfs.tar },
          sandboxInit: rootfs.busybox,
        }),
      rootfs: 'preloaded:base',
      user: { name: 'vcap', uid: 2000 },
      hasRealProcesses: true,
      close: async () => {
        await rootfs.remove();
        await engine.stop();
      },
    };
  });
} else {
  it.skip('the docker backend: there is no Docker Engine this user may start; set RIVERA_TEST_DOCKER_HOST', () => {});
}
