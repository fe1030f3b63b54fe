import type { Action } from './action.js';
import type { CheckDefinition } from './check-definition.js';
import type {
  CachedDependency,
  CertificateProperties,
  EnvironmentVariable,
  File,
  ImageLayer,
  LogRateLimit,
  MetricTagValue,
  Network,
  SecurityGroupRule,
  Sidecar,
  VolumeMount,
} from './container-parts.js';
import type { ModificationTag } from './modification-tag.js';

/** When a crashed instance is started again. Absent fields take Diego's values (see `DIEGO_RESTART_POLICY`). */
export class RestartPolicy {
  /** Crashes below this count restart at once. */
  immediateRestarts?: number;
  /** First delay after the immediate restarts; it doubles with each further crash. */
  baseDelayMs?: number;
  /** The delay never grows beyond this. */
  maxDelayMs?: number;
  /** At this crash count the instance stays CRASHED until someone retires it. */
  maxRestarts?: number;
  /** An instance that ran longer than this starts counting crashes anew. */
  resetAfterMs?: number;
}

/** The half of a desired LRP that placement, convergence and routing read; kept apart so that lists stay light. */
export class DesiredLRPSchedulingInfo {
  processGuid: string;
  domain: string;
  logGuid?: string;
  instances: number;
  /** `preloaded:<stack>`, `preloaded+layer:<stack>?…` or `docker://[registry/]image[#tag]`. */
  rootfs: string;
  memoryMb: number;
  diskMb: number;
  /** 0 = unlimited. */
  maxPids?: number;
  placementTags?: string[];
  volumeDrivers?: string[];
  /** Router name → whatever that router understands. Rivera stores it and shows it, nothing more. */
  routes?: Record<string, unknown>;
  metricTags?: Record<string, MetricTagValue>;
  annotation?: string;
  updateStrategy?: 'ROLLING' | 'RECREATE';
  restartPolicy?: RestartPolicy;
  modificationTag: ModificationTag;
}

/** The other half: what the cell needs to run an instance. Fixed for the life of the process guid, credentials excepted. */
export class DesiredLRPRunInfo {
  action: Action;
  setup?: Action;
  /** Start-up and liveness command; used only when there is no `checkDefinition`. */
  monitor?: Action;
  checkDefinition?: CheckDefinition;
  /** 0 or absent = wait for ever for the first healthy check. */
  startTimeoutMs?: number;
  environmentVariables?: EnvironmentVariable[];
  cpuWeight?: number;
  privileged?: boolean;
  ports?: number[];
  logSource?: string;
  metricsGuid?: string;
  egressRules?: SecurityGroupRule[];
  cachedDependencies?: CachedDependency[];
  imageLayers?: ImageLayer[];
  legacyDownloadUser?: string;
  trustedSystemCertificatesPath?: string;
  volumeMounts?: VolumeMount[];
  network?: Network;
  certificateProperties?: CertificateProperties;
  imageUsername?: string;
  imagePassword?: string;
  sidecars?: Sidecar[];
  logRateLimit?: LogRateLimit;
  volumeMountedFiles?: File[];
}

/** What should run (Diego BBS, DesiredLRP). */
export type DesiredLRP = DesiredLRPSchedulingInfo & DesiredLRPRunInfo;

/** The part of a desired LRP that may change after it was desired. An absent field stays as it is. */
export class DesiredLRPUpdate {
  instances?: number;
  routes?: Record<string, unknown>;
  annotation?: string;
  metricTags?: Record<string, MetricTagValue>;
  imageUsername?: string;
  imagePassword?: string;
}
