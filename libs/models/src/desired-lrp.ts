import { Action } from './action.js';
import { CheckDefinition } from './check-definition.js';
import type { MetricTagValue } from './container-parts.js';
import { ContainerSpec, definitionVolumeDrivers } from './container-spec.js';
import type { ModificationTag } from './modification-tag.js';
import { SpreadRule } from './placement-rules.js';
import { RestartPolicy } from './restart-policy.js';
import { Sidecar } from './sidecar.js';
import { LIMITS } from './validation/limits.js';
import { Optional } from './validation/rule.js';
import { IsDomainName, IsGuid, IsInteger, IsOneOf, IsPart, IsPartList } from './validation/rules.js';
import { IsPortList, IsText, Together } from './validation/rules.js';
import { IsMetricTags, IsRoutes, IsShallowAction } from './validation/spec-rules.js';

/** What a client posts to have an LRP run (Diego BBS, DesireLRP). */
export class DesiredLRPRequest extends ContainerSpec {
  @IsGuid()
  processGuid: string;

  @IsDomainName()
  domain: string;

  @IsInteger({ min: 0, max: LIMITS.instances })
  instances: number;

  @Optional()
  @IsOneOf(['ROLLING', 'RECREATE'])
  updateStrategy?: 'ROLLING' | 'RECREATE';

  @Optional()
  @IsPart(() => RestartPolicy)
  restartPolicy?: RestartPolicy;

  @Optional()
  @IsPartList(() => SpreadRule, { max: LIMITS.spreadRules })
  spread?: SpreadRule[];

  /** Router name → whatever that router understands. Rivera stores it and shows it, nothing more. */
  @Optional()
  @IsRoutes()
  routes?: Record<string, unknown>;

  @Optional()
  @IsPortList({ max: LIMITS.ports, unique: true })
  ports?: number[];

  @Optional()
  @IsPart(() => Action)
  @IsShallowAction()
  setup?: Action;

  /** Start-up and liveness command; used only when there is no `checkDefinition`. */
  @Optional()
  @IsPart(() => Action)
  @IsShallowAction()
  monitor?: Action;

  @Optional()
  @IsPart(() => CheckDefinition)
  checkDefinition?: CheckDefinition;

  /** 0 or absent = wait for ever for the first healthy check. */
  @Optional()
  @IsInteger({ min: 0 })
  startTimeoutMs?: number;

  @Optional()
  @IsPartList(() => Sidecar, { max: LIMITS.sidecars })
  sidecars?: Sidecar[];
}

/** Which half of the record keeps a field of the request. A field without an entry here does not compile. */
const HALF_OF = {
  processGuid: 'scheduling',
  domain: 'scheduling',
  logGuid: 'scheduling',
  instances: 'scheduling',
  rootfs: 'scheduling',
  memoryMb: 'scheduling',
  diskMb: 'scheduling',
  maxPids: 'scheduling',
  cpuMillicores: 'scheduling',
  devices: 'scheduling',
  priority: 'scheduling',
  affinity: 'scheduling',
  spread: 'scheduling',
  placementTags: 'scheduling',
  routes: 'scheduling',
  metricTags: 'scheduling',
  annotation: 'scheduling',
  updateStrategy: 'scheduling',
  restartPolicy: 'scheduling',
  action: 'run',
  setup: 'run',
  monitor: 'run',
  checkDefinition: 'run',
  startTimeoutMs: 'run',
  environmentVariables: 'run',
  cpuWeight: 'run',
  privileged: 'run',
  ports: 'run',
  logSource: 'run',
  metricsGuid: 'run',
  egressRules: 'run',
  cachedDependencies: 'run',
  imageLayers: 'run',
  legacyDownloadUser: 'run',
  trustedSystemCertificatesPath: 'run',
  volumeMounts: 'run',
  network: 'run',
  certificateProperties: 'run',
  imageUsername: 'run',
  imagePassword: 'run',
  sidecars: 'run',
  logRateLimit: 'run',
  volumeMountedFiles: 'run',
} as const satisfies Record<keyof DesiredLRPRequest, 'scheduling' | 'run'>;

type FieldsOf<Half> = {
  [Field in keyof typeof HALF_OF]: (typeof HALF_OF)[Field] extends Half ? Field : never;
}[keyof typeof HALF_OF];

/** The half of a desired LRP that placement, convergence and routing read; kept apart so that lists stay light. */
export interface DesiredLRPSchedulingInfo extends Pick<DesiredLRPRequest, FieldsOf<'scheduling'>> {
  /** The drivers of the volume mounts; derived, never asked for. */
  volumeDrivers?: string[];
  /** How many ports of its cell an instance is given; derived like the drivers. */
  portCount?: number;
  /** The client's name for the request that desired it: the same request again is answered, not refused. */
  idempotencyKey?: string;
  modificationTag: ModificationTag;
}

/** The other half: what the cell needs to run an instance. Fixed for the life of the process guid, credentials excepted. */
export interface DesiredLRPRunInfo extends Pick<DesiredLRPRequest, FieldsOf<'run'>> {}

/** What should run (Diego BBS, DesiredLRP). */
export type DesiredLRP = DesiredLRPSchedulingInfo & DesiredLRPRunInfo;

/** The part of a desired LRP that may change after it was desired. An absent field stays as it is. */
@Together<DesiredLRPUpdate>('imageUsername', 'imagePassword')
export class DesiredLRPUpdate {
  @Optional()
  @IsInteger({ min: 0, max: LIMITS.instances })
  instances?: number;

  @Optional()
  @IsRoutes()
  routes?: Record<string, unknown>;

  @Optional()
  @IsText({ max: LIMITS.annotationBytes })
  annotation?: string;

  @Optional()
  @IsMetricTags()
  metricTags?: Record<string, MetricTagValue>;

  @Optional()
  @IsText({ max: LIMITS.textBytes })
  imageUsername?: string;

  @Optional()
  @IsText({ max: LIMITS.textBytes })
  imagePassword?: string;
}

const FIELDS = Object.keys(HALF_OF) as (keyof typeof HALF_OF)[];
const FIELDS_OF = {
  scheduling: FIELDS.filter((field) => HALF_OF[field] === 'scheduling'),
  run: FIELDS.filter((field) => HALF_OF[field] === 'run'),
};

function pickHalf(request: DesiredLRPRequest, half: 'scheduling' | 'run'): Partial<DesiredLRPRequest> {
  const picked: Record<string, unknown> = {};
  for (const field of FIELDS_OF[half]) if (request[field] !== undefined) picked[field] = request[field];
  return picked;
}

/** A desired LRP as it is asked for, in its two halves and without a tag. */
export interface DesiredLRPHalves {
  schedulingInfo: Omit<DesiredLRPSchedulingInfo, 'modificationTag'>;
  runInfo: DesiredLRPRunInfo;
}

/** The two halves of a request, with the tag of the record when there is one. Fields that are not set are left out. */
export function splitDesiredLRP(request: DesiredLRPRequest): DesiredLRPHalves;
export function splitDesiredLRP(
  request: DesiredLRPRequest,
  modificationTag: ModificationTag,
): DesiredLRPHalves & { schedulingInfo: DesiredLRPSchedulingInfo };
export function splitDesiredLRP(
  request: DesiredLRPRequest,
  modificationTag?: ModificationTag,
): DesiredLRPHalves {
  const schedulingInfo = pickHalf(request, 'scheduling') as Partial<DesiredLRPSchedulingInfo>;
  const volumeDrivers = definitionVolumeDrivers(request);
  if (volumeDrivers.length > 0) schedulingInfo.volumeDrivers = volumeDrivers;
  if (request.ports !== undefined && request.ports.length > 0)
    schedulingInfo.portCount = request.ports.length;
  if (modificationTag !== undefined) schedulingInfo.modificationTag = modificationTag;
  return {
    schedulingInfo: schedulingInfo as DesiredLRPHalves['schedulingInfo'],
    runInfo: pickHalf(request, 'run') as DesiredLRPRunInfo,
  };
}

/** The whole record from its halves. The scheduling information has the say on what both hold, such as the tag. */
export function joinDesiredLRP(
  schedulingInfo: DesiredLRPSchedulingInfo,
  runInfo: DesiredLRPRunInfo,
): DesiredLRP {
  return { ...runInfo, ...schedulingInfo };
}
