import type { Garden } from '#rivera/garden';
import type { ArtifactCache } from '../downloader/artifact-cache.js';
import type { LogSink } from '../executor/log-sink.js';
import type { HealthIntervals } from '../health/health-step.js';
import type { InstanceCredentials } from '../certificates/instance-credentials.js';
import type { DiskWatch } from './disk-watch.js';
import type { Limiter } from '../executor/limiter.js';
import type { Mounts } from './mounts.js';
import type { PortPool } from './port-pool.js';
import type { SandboxPool } from './sandbox-pool.js';

/** What the operator of the cell decides for all its containers. */
export interface ContainerPolicy {
  /** Between SIGTERM and SIGKILL. */
  graceMs: number;
  intervals: HealthIntervals;
  /** A reservation that nobody has confirmed ends after this (Diego executor, registry pruner). */
  reservationTtlMs: number;
  /** Lines a container may write in a second; 0 = unlimited. */
  logLinesPerSecond: number;
  /** Processes of a container that does not say how many; 0 = unlimited. */
  defaultMaxPids: number;
  /** Microseconds of processor time per share in each 100 ms; 0 = no quota. */
  cpuQuotaPerShareUs: number;
  /** Of one download or upload, and of what a download unpacks to in a container without a disk limit. */
  maxTransferBytes: number;
  /** The host's certificates, for definitions that ask for them. */
  trustedCertificatesDirectory?: string;
}

/** What all containers of a cell share. */
export interface CellServices {
  cellId: string;
  /** Where host ports are reached. */
  address: string;
  garden: Garden;
  policy: ContainerPolicy;
  artifacts: ArtifactCache;
  mounts: Mounts;
  credentials: InstanceCredentials;
  ports: PortPool;
  /** Networks made ahead. */
  sandboxes: SandboxPool;
  diskWatch: DiskWatch;
  logs: LogSink;
  creating: Limiter;
  deleting: Limiter;
  uploading: Limiter;
  temporaryDirectory: string;
}
