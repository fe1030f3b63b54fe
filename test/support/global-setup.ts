import { canStartDockerEngine, startDockerEngine } from './docker-engine.js';
import { startRedis } from './redis.js';

const stops: (() => Promise<void>)[] = [];

/**
 * One Redis and one Docker Engine for the whole run, named by `RIVERA_TEST_REDIS_URL` and `RIVERA_TEST_DOCKER_HOST`.
 * A variable that is set already names one of your own, which is used and left alone. Tests that need a database to
 * themselves start their own with `startRedis`.
 */
export async function setup(): Promise<void> {
  await Promise.all([provideRedis(), provideDocker()]);
}

export async function teardown(): Promise<void> {
  await Promise.all(stops.map((stop) => stop()));
}

async function provideRedis(): Promise<void> {
  if (process.env.RIVERA_TEST_REDIS_URL) return;
  const redis = await startRedis();
  stops.push(() => redis.stop());
  process.env.RIVERA_TEST_REDIS_URL = redis.url;
}

async function provideDocker(): Promise<void> {
  if (process.env.RIVERA_TEST_DOCKER_HOST) return;
  if (!(await canStartDockerEngine())) {
    console.warn('No dockerd that this user may run: tests of the docker backend are left out.');
    return;
  }
  const engine = await startDockerEngine();
  stops.push(() => engine.stop());
  process.env.RIVERA_TEST_DOCKER_HOST = engine.dockerHost;
}
