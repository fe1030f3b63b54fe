import { answers } from './http-request.js';
import type { Layout } from './layout.js';
import { PrivateEngine } from './private-engine.js';
import type { Secrets } from './secrets.js';

export const BACKENDS = ['docker', 'process', 'fake'] as const;
export type Backend = (typeof BACKENDS)[number];

/** What runs the containers, and in words why. */
export interface EnginePlan {
  backend: Backend;
  because: string;
  /** `DOCKER_HOST` of the cells. */
  dockerHost?: string;
  /** To be started first. */
  own?: PrivateEngine;
}

const DEFAULT_HOST = 'unix:///var/run/docker.sock';

/** The backend that was asked for, else the best there is: an engine that answers, an own one, plain processes. */
export async function planEngine(layout: Layout, secrets: Secrets, wanted?: Backend): Promise<EnginePlan> {
  if (wanted === 'process' || wanted === 'fake') return { backend: wanted, because: 'as asked for' };
  const found = await findEngine(layout, secrets);
  if (wanted === 'docker' && found.backend !== 'docker') {
    throw new Error(`The docker backend cannot be used: ${found.because}. Start Docker, or set DOCKER_HOST.`);
  }
  return found;
}

async function findEngine(layout: Layout, secrets: Secrets): Promise<EnginePlan> {
  const asked = process.env['DOCKER_HOST'];
  if (asked) {
    if (await engineAnswers(asked)) return { backend: 'docker', because: `at ${asked}`, dockerHost: asked };
    return { backend: 'process', because: `nothing answers at DOCKER_HOST=${asked}` };
  }
  if (await engineAnswers(DEFAULT_HOST)) {
    return { backend: 'docker', because: `at ${DEFAULT_HOST}`, dockerHost: DEFAULT_HOST };
  }
  const obstacle = PrivateEngine.obstacle();
  if (obstacle !== undefined) return { backend: 'process', because: obstacle };
  const own = new PrivateEngine(layout, secrets.clusterId);
  return { backend: 'docker', because: 'an own one, used by this cluster only', dockerHost: own.host, own };
}

async function engineAnswers(host: string): Promise<boolean> {
  if (host.startsWith('unix://')) {
    return answers({ socketPath: host.slice('unix://'.length), path: '/_ping' });
  }
  // Reads DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH as the cells will.
  const { default: Docker } = await import('dockerode');
  return new Docker({ timeout: 5_000 }).ping().then(
    () => true,
    () => false,
  );
}
