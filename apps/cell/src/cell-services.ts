import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Garden } from '#rivera/garden';
import type { RiveraLogger } from '#rivera/platform';
import { CertificateIssuer } from './certificates/certificate-issuer.js';
import { InstanceCredentials } from './certificates/instance-credentials.js';
import type { CellConfig, ContainerConfig } from './cell.config.js';
import { DiskWatch } from './containers/disk-watch.js';
import { limiter } from './executor/limiter.js';
import { Mounts } from './containers/mounts.js';
import { PortPool } from './containers/port-pool.js';
import { SandboxPool } from './containers/sandbox-pool.js';
import type { CellServices } from './containers/services.js';
import { ArtifactCache } from './downloader/artifact-cache.js';
import type { LogSink } from './executor/log-sink.js';

/** The places of a cell's data directory. */
export function directoriesOf({ dataDir }: Pick<CellConfig, 'dataDir'>) {
  const root = resolve(dataDir);
  return {
    cache: join(root, 'cache'),
    files: join(root, 'files'),
    credentials: join(root, 'credentials'),
    temporary: join(root, 'tmp'),
  };
}

/** Directories of this host of which containers may be given parts. */
export function mountableDirectories(
  cell: Pick<CellConfig, 'dataDir'>,
  containers: ContainerConfig,
): string[] {
  const { cache, files, credentials } = directoriesOf(cell);
  const { trustedCertificatesDirectory } = containers.policy;
  return [
    cache,
    files,
    credentials,
    ...Object.values(containers.volumes),
    ...(trustedCertificatesDirectory === undefined ? [] : [trustedCertificatesDirectory]),
  ];
}

/** Opens what all containers of a cell share. */
export async function openServices(options: {
  cell: Pick<CellConfig, 'cellId' | 'address' | 'owner' | 'dataDir'>;
  containers: ContainerConfig;
  garden: Garden;
  logs: LogSink;
  logger: RiveraLogger;
}): Promise<CellServices> {
  const { cell, containers, garden, logs, logger } = options;
  const { cache, files, credentials, temporary } = directoriesOf(cell);
  const downloading = limiter(containers.downloadWorkers);
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true, mode: 0o700 });
  // Passable and not readable: what is in it is for the container it is mounted into.
  for (const place of [files, credentials]) await mkdir(place, { recursive: true, mode: 0o711 });
  const ports = new PortPool(containers.hostPorts, cell.owner);
  const { warm } = containers;
  if (warm.size > 0 && garden.sandboxes === undefined) {
    logger.warn('no-warm-sandboxes', {
      reason: 'networks can be made ahead only by an agent that is root on the host of its Docker Engine',
    });
  }
  return {
    cellId: cell.cellId,
    address: cell.address,
    garden,
    policy: containers.policy,
    artifacts: await ArtifactCache.open({
      directory: cache,
      maxBytes: containers.cacheBytes,
      maxDownloadBytes: containers.policy.maxTransferBytes,
      downloading,
    }),
    mounts: new Mounts({ volumes: containers.volumes, filesDirectory: files }),
    credentials: new InstanceCredentials({
      directory: credentials,
      ...(containers.authority && { issuer: await CertificateIssuer.open(containers.authority) }),
      logger,
    }),
    ports,
    sandboxes: new SandboxPool({ ...warm, sandboxes: garden.sandboxes, ports, logger }),
    diskWatch: new DiskWatch({ freeBytes: () => garden.freeDiskBytes(), logger }),
    logs,
    creating: limiter(containers.createWorkers),
    deleting: limiter(containers.deleteWorkers),
    uploading: limiter(containers.uploadWorkers),
    temporaryDirectory: temporary,
  };
}
