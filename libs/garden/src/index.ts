export * from './container.js';
export { DockerGarden } from './docker/docker-garden.js';
export type { DockerGardenOptions } from './docker/docker-garden.js';
