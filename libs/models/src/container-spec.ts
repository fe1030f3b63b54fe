import { Action } from './action.js';
import {
  CachedDependency,
  CertificateProperties,
  EnvironmentVariable,
  File,
  LogRateLimit,
  type MetricTagValue,
  Network,
} from './container-parts.js';
import { ImageLayer } from './image-layer.js';
import { AffinityRule, DeviceCount } from './placement-rules.js';
import { SecurityGroupRule } from './security-group-rule.js';
import { LIMITS } from './validation/limits.js';
import { Optional, objectRule } from './validation/rule.js';
import { IsFlag, IsInteger, IsLabel, IsName, IsNameList, IsPart, IsPartList } from './validation/rules.js';
import { IsRootfs, IsText, Together } from './validation/rules.js';
import { FilesFit, IsMetricTags, IsShallowAction } from './validation/spec-rules.js';
import { VolumeMount } from './volume-mount.js';

function exclusiveLayersNeedUser({ imageLayers, legacyDownloadUser }: ContainerSpec): string | undefined {
  const hasExclusive =
    Array.isArray(imageLayers) && imageLayers.some((layer) => layer?.layerType === 'EXCLUSIVE');
  return hasExclusive && legacyDownloadUser === undefined
    ? '.legacyDownloadUser is missing; an EXCLUSIVE image layer is downloaded as this user'
    : undefined;
}

/** Rivera's metric tags are optional; where both name the source they have to agree (Diego BBS, metrics_guid). */
function metricsGuidIsSourceId({ metricsGuid, metricTags }: ContainerSpec): string | undefined {
  const sourceId = metricTags?.['source_id']?.static;
  return metricsGuid !== undefined && sourceId !== undefined && metricsGuid !== sourceId
    ? '.metricsGuid must equal the metric tag source_id; leave metricsGuid out'
    : undefined;
}

/** What a long-running process and a task have in common: one container, its resources and what runs in it. */
@Together<ContainerSpec>('imageUsername', 'imagePassword')
@objectRule<ContainerSpec>('exclusiveLayersNeedUser', exclusiveLayersNeedUser)
@objectRule<ContainerSpec>('metricsGuidIsSourceId', metricsGuidIsSourceId)
export class ContainerSpec {
  /** `preloaded:<stack>`, `preloaded+layer:<stack>?…` or `docker://[registry]/image[#tag]`. */
  @IsRootfs()
  rootfs: string;

  @IsInteger({ min: 0 })
  memoryMb: number;

  @IsInteger({ min: 0 })
  diskMb: number;

  /** 0 = unlimited. */
  @Optional()
  @IsInteger({ min: 0 })
  maxPids?: number;

  /** Thousandths of a processor that its cell must have free; 0 or absent = none in particular. */
  @Optional()
  @IsInteger({ min: 0 })
  cpuMillicores?: number;

  @Optional()
  @IsPartList(() => DeviceCount, { max: LIMITS.devices })
  devices?: DeviceCount[];

  /** Higher ones are placed first; absent = 0. */
  @Optional()
  @IsInteger({ min: -LIMITS.priority, max: LIMITS.priority })
  priority?: number;

  @Optional()
  @IsPartList(() => AffinityRule, { max: LIMITS.affinityRules })
  affinity?: AffinityRule[];

  @Optional()
  @IsInteger({ min: 0, max: LIMITS.cpuWeight })
  cpuWeight?: number;

  @Optional()
  @IsFlag()
  privileged?: boolean;

  @Optional()
  @IsNameList({ max: LIMITS.placementTags })
  placementTags?: string[];

  @IsPart(() => Action)
  @IsShallowAction()
  action: Action;

  @Optional()
  @IsPartList(() => EnvironmentVariable, { max: LIMITS.environmentVariables })
  environmentVariables?: EnvironmentVariable[];

  @Optional()
  @IsLabel()
  logSource?: string;

  @Optional()
  @IsLabel()
  logGuid?: string;

  /** Deprecated by Diego for LRPs: use the metric tag `source_id`. */
  @Optional()
  @IsLabel()
  metricsGuid?: string;

  @Optional()
  @IsMetricTags()
  metricTags?: Record<string, MetricTagValue>;

  @Optional()
  @IsPart(() => LogRateLimit)
  logRateLimit?: LogRateLimit;

  @Optional()
  @IsText({ max: LIMITS.annotationBytes })
  annotation?: string;

  @Optional()
  @IsPartList(() => SecurityGroupRule, { max: LIMITS.egressRules })
  egressRules?: SecurityGroupRule[];

  @Optional()
  @IsPart(() => Network)
  network?: Network;

  @Optional()
  @IsPart(() => CertificateProperties)
  certificateProperties?: CertificateProperties;

  @Optional()
  @IsText({ max: LIMITS.pathBytes })
  trustedSystemCertificatesPath?: string;

  @Optional()
  @IsPartList(() => CachedDependency, { max: LIMITS.cachedDependencies })
  cachedDependencies?: CachedDependency[];

  @Optional()
  @IsPartList(() => ImageLayer, { max: LIMITS.imageLayers })
  imageLayers?: ImageLayer[];

  @Optional()
  @IsName()
  legacyDownloadUser?: string;

  @Optional()
  @IsText({ max: LIMITS.textBytes })
  imageUsername?: string;

  @Optional()
  @IsText({ max: LIMITS.textBytes })
  imagePassword?: string;

  @Optional()
  @IsPartList(() => VolumeMount, { max: LIMITS.volumeMounts })
  volumeMounts?: VolumeMount[];

  @Optional()
  @IsPartList(() => File, { max: LIMITS.volumeMountedFiles })
  @FilesFit()
  volumeMountedFiles?: File[];
}

/** The drivers a cell must have to run this, each once, in alphabetical order. */
export function definitionVolumeDrivers({
  volumeMounts = [],
}: Pick<ContainerSpec, 'volumeMounts'>): string[] {
  return [...new Set(volumeMounts.map(({ driver }) => driver))].toSorted();
}
