import type { Action } from './action.js';
import type { Placement } from './actual-lrp.js';
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
  VolumeMount,
} from './container-parts.js';
import type { ModificationTag } from './modification-tag.js';

/** One-off work (Diego BBS, TaskDefinition). */
export class TaskDefinition {
  rootfs: string;
  action: Action;
  memoryMb: number;
  diskMb: number;
  environmentVariables?: EnvironmentVariable[];
  cpuWeight?: number;
  privileged?: boolean;
  maxPids?: number;
  logSource?: string;
  logGuid?: string;
  metricsGuid?: string;
  /** File in the container whose content becomes the task's `result`. */
  resultFile?: string;
  completionCallbackUrl?: string;
  annotation?: string;
  placementTags?: string[];
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
  logRateLimit?: LogRateLimit;
  metricTags?: Record<string, MetricTagValue>;
  volumeMountedFiles?: File[];
}

/** What a client posts to have a task run. */
export class TaskRequest {
  taskGuid: string;
  domain: string;
  definition: TaskDefinition;
}

export const TASK_STATES = ['PENDING', 'RUNNING', 'COMPLETED', 'RESOLVING'] as const;
export type TaskState = (typeof TASK_STATES)[number];

/** One-off work and how far it got (Diego BBS, Task). Times are milliseconds since the Unix epoch. */
export interface Task {
  taskGuid: string;
  domain: string;
  definition: TaskDefinition;
  state: TaskState;
  createdAt: number;
  updatedAt: number;
  firstCompletedAt?: number;
  modificationTag: ModificationTag;
  cellId?: string;
  placement?: Placement;
  refusedBy?: string[];
  rejectionCount: number;
  rejectionReason?: string;
  failed?: boolean;
  failureReason?: string;
  result?: string;
}
