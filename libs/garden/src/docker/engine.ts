import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type DockerType from 'dockerode';
import { RiveraError } from '#rivera/models';
import { Docker } from './dockerode.js';
import { engineError } from './engine-error.js';

/** What this backend was written for; newer engines are spoken to in this version. */
const NEWEST_API = '1.44';
/** `stats?one-shot` and reading the `local` log driver need it. */
const OLDEST_API = '1.41';
/** A start on a busy machine takes seconds; silence beyond this is a dead engine. */
const SHORT_CALL_TIMEOUT_MS = 120_000;
const PING_TIMEOUT_MS = 5_000;
const DEFAULT_HOST = 'unix:///var/run/docker.sock';

/** Where the engine is. By default `DOCKER_HOST` (with its TLS companions), else the usual socket. */
export interface EngineAddress {
  /** `unix:///path` or `tcp://host:port`. */
  host?: string;
  socketPath?: string;
  /** Anything else dockerode understands; wins over the two above. */
  dockerOptions?: DockerType.DockerOptions;
}

/**
 * Two clients of one engine, because the client's time-out is one of inactivity: `api` for calls that answer soon,
 * `streams` for those that may be silent for hours (wait, attach, logs, events).
 */
export interface Engine {
  readonly api: DockerType;
  readonly streams: DockerType;
  readonly probe: DockerType;
  readonly apiVersion: string;
  /** On a socket of this host. */
  readonly isLocal: boolean;
  /** Processes that were added to containers from here, by the engine's id. */
  readonly execs: Set<string>;
}

/**
 * Finds the engine and settles on an API version: the newest both sides know.
 * Rejects with `unavailable` when it does not answer and with `unsupported` when no version suits both.
 */
export async function connectEngine(address: EngineAddress): Promise<Engine> {
  const options = await connectionOptions(address);
  const versions = await new Docker({ ...options, timeout: PING_TIMEOUT_MS })
    .version()
    .catch((error: unknown) => {
      throw engineError(error, 'The Docker Engine could not be asked for its version');
    });
  const apiVersion = negotiate(versions.ApiVersion, versions.MinAPIVersion ?? '1.12');
  const client = (timeout?: number): DockerType =>
    new Docker({ ...options, version: `v${apiVersion}`, timeout });
  return {
    apiVersion,
    execs: new Set(),
    isLocal: typeof options.socketPath === 'string',
    api: client(SHORT_CALL_TIMEOUT_MS),
    streams: client(),
    probe: client(PING_TIMEOUT_MS),
  };
}

/** The newest API version an engine that speaks `oldest` to `newest` and this backend have in common. */
export function negotiate(newest: string, oldest: string): string {
  if (compareVersions(newest, OLDEST_API) < 0) {
    throw new RiveraError(
      'unsupported',
      `The Docker Engine speaks API ${newest}, but ${OLDEST_API} (Docker 20.10) is needed: upgrade the engine.`,
    );
  }
  if (compareVersions(oldest, NEWEST_API) > 0) {
    throw new RiveraError(
      'unsupported',
      `The Docker Engine refuses API versions below ${oldest}, but ${NEWEST_API} is the newest one spoken here: ` +
        'lower its `min-api-version`.',
    );
  }
  return compareVersions(newest, NEWEST_API) < 0 ? newest : NEWEST_API;
}

function compareVersions(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

async function connectionOptions(address: EngineAddress): Promise<DockerType.DockerOptions> {
  if (address.dockerOptions) return address.dockerOptions;
  const host = address.host ?? process.env.DOCKER_HOST;
  if (address.socketPath) return overSocket(address.socketPath);
  const url = new URL(host?.includes('://') ? host : host ? `tcp://${host}` : DEFAULT_HOST);
  if (url.protocol === 'unix:') return overSocket(url.pathname);
  const certificates = process.env.DOCKER_CERT_PATH;
  const isTls = url.protocol === 'https:' || process.env.DOCKER_TLS_VERIFY === '1';
  const read = (name: string): Promise<string> => readFile(join(certificates ?? '', name), 'utf8');
  const [ca, cert, key] =
    isTls && certificates ? await Promise.all(['ca.pem', 'cert.pem', 'key.pem'].map(read)) : [];
  return {
    host: url.hostname,
    port: url.port || (isTls ? '2376' : '2375'),
    protocol: isTls ? 'https' : 'http',
    socketPath: undefined,
    ca,
    cert,
    key,
  };
}

/** The client reads DOCKER_HOST by itself and would prefer it; naming no host keeps it from that. */
function overSocket(socketPath: string): DockerType.DockerOptions {
  return { socketPath, host: undefined, protocol: 'http' };
}
