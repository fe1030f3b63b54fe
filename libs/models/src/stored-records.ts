import {
  ACTUAL_LRP_STATES,
  type ActualLRP,
  type ActualLRPState,
  PRESENCES,
  type Presence,
} from './actual-lrp.js';
import {
  type Cell,
  CELL_STATES,
  type CellDrain,
  CellRegistration,
  type CellState,
  type Domain,
} from './cell.js';
import { type Deployment, DEPLOYMENT_STATES, DeploymentPolicy, type DeploymentState } from './deployment.js';
import {
  type DesiredLRPRunInfo,
  DesiredLRPRequest,
  type DesiredLRPSchedulingInfo,
  joinDesiredLRP,
} from './desired-lrp.js';
import { RiveraError } from './errors.js';
import { ModificationTag } from './modification-tag.js';
import { ActualLRPNetInfo } from './net-info.js';
import { DeviceCount } from './placement-rules.js';
import { TASK_STATES, type Task, TaskDefinition, type TaskState } from './task.js';
import { LIMITS } from './validation/limits.js';
import { parse } from './validation/parse.js';
import { Optional, propertyRule } from './validation/rule.js';
import {
  IsCellId,
  IsDomainName,
  IsFlag,
  IsGuid,
  IsInteger,
  IsName,
  IsNameList,
  IsOneOf,
  IsPart,
  IsPartList,
  IsText,
  IsTextMap,
} from './validation/rules.js';

/** Milliseconds since the Unix epoch. */
const IsTime = (): PropertyDecorator => IsInteger({ min: 0, max: Number.MAX_SAFE_INTEGER });
const IsCount = IsTime;
/** What a program wrote or an engine said: any text. */
const IsAnyText = (): PropertyDecorator =>
  propertyRule('isAnyText', (value) => (typeof value === 'string' ? undefined : 'must be a text'));

class StoredInstanceKey {
  @IsName() instanceGuid: string;
  @IsCellId() cellId: string;
}

class StoredPlacement extends StoredInstanceKey {
  @IsTime() deadline: number;
}

class StoredRefusal {
  @IsCellId() cellId: string;
  @IsAnyText() reason: string;
  @IsTime() since: number;
}

class StoredResources {
  @IsCount() memoryMb: number;
  @IsCount() diskMb: number;
  @Optional() @IsCount() cpuMillicores?: number;
  @Optional() @IsCount() ports?: number;
  @Optional() @IsPartList(() => DeviceCount, { max: LIMITS.devices }) devices?: DeviceCount[];
}

class StoredInternalRoute {
  @IsName() hostname: string;
}

/** What an actual LRP looks like where records come from outside. */
class StoredActualLRP implements ActualLRP {
  @IsGuid() processGuid: string;
  @IsInteger({ min: 0, max: LIMITS.instances }) index: number;
  @IsDomainName() domain: string;
  @IsOneOf(ACTUAL_LRP_STATES) state: ActualLRPState;
  @IsOneOf(PRESENCES) presence: Presence;
  @IsTime() since: number;
  @IsPart(() => ModificationTag) modificationTag: ModificationTag;
  @IsCount() crashCount: number;
  @Optional() @IsAnyText() crashReason?: string;
  @Optional() @IsTime() restartAt?: number;
  @Optional() @IsName() instanceGuid?: string;
  @Optional() @IsCellId() cellId?: string;
  @Optional() @IsPart(() => StoredInstanceKey) lastRun?: StoredInstanceKey;
  @Optional() @IsPart(() => StoredPlacement) placement?: StoredPlacement;
  @Optional() @IsAnyText() placementError?: string;
  @Optional() @IsNameList({ max: LIMITS.jsonListEntries }) refusedBy?: string[];
  @Optional() @IsPart(() => StoredRefusal) refusal?: StoredRefusal;
  @Optional() @IsFlag() stopping?: boolean;
  @Optional() @IsTime() expiresAt?: number;
  @Optional() @IsFlag() moving?: boolean;
  @IsPart(() => StoredResources) resources: StoredResources;
  @Optional() @IsPart(() => ActualLRPNetInfo) netInfo?: ActualLRPNetInfo;
  @Optional() @IsFlag() routable?: boolean;
  @Optional() @IsText({ max: LIMITS.nameBytes }) availabilityZone?: string;
  @Optional() @IsTextMap({ max: LIMITS.textBytes }, { max: LIMITS.metricTags }) metricTags?: Record<
    string,
    string
  >;
  @Optional()
  @IsPartList(() => StoredInternalRoute, { max: LIMITS.jsonListEntries })
  internalRoutes?: StoredInternalRoute[];
}

class StoredTask implements Task {
  @IsGuid() taskGuid: string;
  @IsDomainName() domain: string;
  @IsPart(() => TaskDefinition) definition: TaskDefinition;
  @IsOneOf(TASK_STATES) state: TaskState;
  @IsTime() createdAt: number;
  @IsTime() updatedAt: number;
  @Optional() @IsTime() firstCompletedAt?: number;
  @IsPart(() => ModificationTag) modificationTag: ModificationTag;
  @Optional() @IsAnyText() idempotencyKey?: string;
  @Optional() @IsCellId() cellId?: string;
  @Optional() @IsCellId() lastCellId?: string;
  @Optional() @IsPart(() => StoredPlacement) placement?: StoredPlacement;
  @Optional() @IsNameList({ max: LIMITS.jsonListEntries }) refusedBy?: string[];
  @Optional() @IsPart(() => StoredRefusal) refusal?: StoredRefusal;
  @IsCount() rejectionCount: number;
  @Optional() @IsAnyText() rejectionReason?: string;
  @Optional() @IsFlag() failed?: boolean;
  @Optional() @IsAnyText() failureReason?: string;
  @Optional() @IsAnyText() result?: string;
}

class StoredDrain implements CellDrain {
  @IsTime() since: number;
  @IsTime() deadline: number;
}

class StoredCell extends CellRegistration implements Cell {
  @IsCellId() cellId: string;
  @IsOneOf(CELL_STATES) state: CellState;
  @IsTime() since: number;
  @IsCount() epoch: number;
  @Optional() @IsFlag() cordoned?: boolean;
  @Optional() @IsPart(() => StoredDrain) drain?: StoredDrain;
  @Optional() @IsFlag() replacementHeld?: boolean;
  @IsPart(() => ModificationTag) modificationTag: ModificationTag;
}

class StoredDomain implements Domain {
  @IsDomainName() domain: string;
  @Optional() @IsTime() expiresAt?: number;
  @IsPart(() => ModificationTag) modificationTag: ModificationTag;
}

class StoredDeployment implements Deployment {
  @IsGuid() processGuid: string;
  @IsGuid() newProcessGuid: string;
  @IsDomainName() domain: string;
  @IsOneOf(DEPLOYMENT_STATES) state: DeploymentState;
  @Optional() @IsAnyText() reason?: string;
  @IsCount() oldInstances: number;
  @IsCount() newInstances: number;
  @IsPart(() => DeploymentPolicy) policy: Deployment['policy'];
  @IsCount() healthy: number;
  @IsCount() crashes: number;
  @IsTime() createdAt: number;
  @IsTime() progressedAt: number;
  @Optional() @IsTime() dueAt?: number;
  @IsPart(() => ModificationTag) modificationTag: ModificationTag;
}

const CLASSES = {
  actual: StoredActualLRP,
  task: StoredTask,
  cell: StoredCell,
  domain: StoredDomain,
  deployment: StoredDeployment,
};

/** A record as it is carried from one store to another; a desired LRP with both its halves. */
export type PortableRecord =
  | { kind: 'desired'; record: DesiredLRPSchedulingInfo; run: DesiredLRPRunInfo & PortableRunHead }
  | { kind: 'actual'; record: ActualLRP }
  | { kind: 'task'; record: Task }
  | { kind: 'cell'; record: Cell }
  | { kind: 'domain'; record: Domain }
  | { kind: 'deployment'; record: Deployment };
export type PortableKind = PortableRecord['kind'];

/** What the run half of a desired LRP begins with. */
interface PortableRunHead {
  processGuid: string;
  modificationTag: ModificationTag;
}

/** In the order in which they are carried. */
export const PORTABLE_KINDS = [
  'domain',
  'cell',
  'desired',
  'actual',
  'task',
  'deployment',
] as const satisfies PortableKind[];

/**
 * A record that came from outside, held to the same rules as a request: a definition is checked by the class of the request
 * that desired it, the rest by what the store keeps of it.
 *
 * @throws RiveraError `invalid-request`
 */
export function parsePortable(input: unknown): PortableRecord {
  const { kind, record, run, ...rest } = isFields(input) ? input : {};
  const known = PORTABLE_KINDS.find((each) => each === kind);
  if (
    known === undefined ||
    !isFields(record) ||
    Object.keys(rest).length > 0 ||
    (known !== 'desired' && run !== undefined)
  ) {
    throw new RiveraError(
      'invalid-request',
      `A record is {"kind": …, "record": {…}} with one of the kinds ${PORTABLE_KINDS.join(', ')}; a desired LRP has its "run" half beside it.`,
    );
  }
  if (known === 'desired') requireDesired(record, run);
  else parse<object>(CLASSES[known], record);
  // Written as it was read, and not as its class would have it.
  return input as PortableRecord;
}

function requireDesired(record: Fields, run: unknown): void {
  if (!isFields(run) || run['processGuid'] !== record['processGuid']) {
    throw new RiveraError('invalid-request', 'A desired LRP needs its "run" half, of the same process guid.');
  }
  const joined = joinDesiredLRP(record as never, run as never);
  // Derived when it was desired, or added to it.
  const { volumeDrivers, portCount, idempotencyKey, modificationTag, ...request } = joined;
  parse(DesiredLRPRequest, request);
  parse(Additions, { volumeDrivers, portCount, idempotencyKey, modificationTag });
  parse(ModificationTag, run['modificationTag']);
}

class Additions {
  @Optional() @IsNameList({ max: LIMITS.volumeDrivers }) volumeDrivers?: string[];
  @Optional() @IsCount() portCount?: number;
  @Optional() @IsAnyText() idempotencyKey?: string;
  @IsPart(() => ModificationTag) modificationTag: ModificationTag;
}

type Fields = Record<string, unknown>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A field of a record that has no rule here does not compile. */
type Complete<Record_, Class> = Exclude<keyof Record_, keyof Class> extends never ? true : never;
const _complete: [
  Complete<ActualLRP, StoredActualLRP>,
  Complete<Task, StoredTask>,
  Complete<Cell, StoredCell>,
  Complete<Domain, StoredDomain>,
  Complete<Deployment, StoredDeployment>,
] = [true, true, true, true, true];
