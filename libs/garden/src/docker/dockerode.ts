import { createRequire } from 'node:module';
import type DockerType from 'dockerode';

const require = createRequire(import.meta.url);

/**
 * The client, without what it brings for image builds (a gRPC server) and for engines behind SSH. Nothing here builds
 * images or speaks SSH, and the two take a tenth of an agent's memory. Whoever used them would be told here.
 */
export const Docker = loadLean();

function loadLean(): typeof DockerType {
  const forDockerode = createRequire(require.resolve('dockerode'));
  const unused: [NodeJS.Require, string][] = [
    [forDockerode, './session'],
    [createRequire(forDockerode.resolve('docker-modem')), './ssh'],
  ];
  const stands = unused.map(([from, name]) => standIn(from.resolve(name)));
  const docker = require('dockerode') as typeof DockerType;
  // Anybody else who asks for these modules gets the real ones.
  for (const remove of stands) remove();
  return docker;
}

/** Nothing when the module was loaded before. Returns how to take the stand-in away. */
function standIn(file: string): () => void {
  if (require.cache[file] !== undefined) return () => undefined;
  const refuse = (): never => {
    throw new Error(`${file} is not loaded in an agent: it neither builds images nor connects by SSH.`);
  };
  require.cache[file] = {
    id: file,
    filename: file,
    loaded: true,
    exports: refuse,
  } as unknown as NodeJS.Module;
  return () => delete require.cache[file];
}
