import { ValidateIf } from 'class-validator';
import type { CellReport } from './report.js';
import { ActualLRPNetInfo } from './net-info.js';
import { CellRegistration } from './cell.js';
import { LIMITS } from './validation/limits.js';
import { Optional, objectRule } from './validation/rule.js';
import { IsFlag, IsGuid, IsInteger, IsOneOf, IsPart, IsPartList, IsText } from './validation/rules.js';

/** Each `type` and the fields of such a report; the keys are all types there are, or this does not compile. */
const FIELDS_OF = {
  claim: ['processGuid', 'index', 'instanceGuid'],
  refuse: ['processGuid', 'index', 'instanceGuid', 'reason'],
  start: ['processGuid', 'index', 'instanceGuid', 'netInfo', 'routable'],
  crash: ['processGuid', 'index', 'instanceGuid', 'reason'],
  remove: ['processGuid', 'index', 'instanceGuid'],
  'evacuate-claimed': ['processGuid', 'index', 'instanceGuid'],
  'evacuate-running': ['processGuid', 'index', 'instanceGuid', 'netInfo', 'routable'],
  'evacuate-crashed': ['processGuid', 'index', 'instanceGuid', 'reason'],
  'evacuate-stopped': ['processGuid', 'index', 'instanceGuid'],
  'remove-evacuating': ['processGuid', 'index', 'instanceGuid'],
  'start-task': ['taskGuid'],
  'refuse-task': ['taskGuid', 'reason'],
  'reject-task': ['taskGuid', 'reason'],
  'complete-task': ['taskGuid', 'failed', 'failureReason', 'result'],
} as const satisfies { [T in CellReport['type']]: readonly KeysOf<Extract<CellReport, { type: T }>>[] };

type KeysOf<Report> = Report extends unknown ? Exclude<keyof Report, 'type'> : never;

function fieldsOf(type: unknown): readonly string[] | undefined {
  return typeof type === 'string' && Object.hasOwn(FIELDS_OF, type)
    ? FIELDS_OF[type as CellReport['type']]
    : undefined;
}

/** The rules of the field hold for the types of report that have it. */
function OfItsTypes(): PropertyDecorator {
  return (target, property) =>
    ValidateIf((report: CellReportBody) => fieldsOf(report.type)?.includes(String(property)) ?? false)(
      target,
      property,
    );
}

function fieldsFitType(report: CellReportBody): string[] {
  const fields = fieldsOf(report.type);
  if (fields === undefined) return [];
  return Object.entries(report)
    .filter(
      ([field, value]) =>
        value !== undefined && field !== 'type' && field in KNOWN && !fields.includes(field),
    )
    .map(([field]) => `.${field} does not belong to a report of type ${report.type}`);
}

const KNOWN: Record<string, true> = Object.fromEntries(
  Object.values(FIELDS_OF).flatMap((fields) => fields.map((field) => [field, true])),
);

/** One `CellReport` as it arrives: `type` says which of the other fields there must be. */
@objectRule<CellReportBody>('fieldsFitType', fieldsFitType)
export class CellReportBody {
  @IsOneOf(Object.keys(FIELDS_OF))
  type: CellReport['type'];

  @OfItsTypes()
  @IsGuid()
  processGuid?: string;

  @OfItsTypes()
  @IsInteger({ min: 0 })
  index?: number;

  @OfItsTypes()
  @IsGuid()
  instanceGuid?: string;

  @OfItsTypes()
  @IsGuid()
  taskGuid?: string;

  @OfItsTypes()
  @IsText({ max: LIMITS.textBytes, anyCharacters: true })
  reason?: string;

  @OfItsTypes()
  @IsPart(() => ActualLRPNetInfo)
  netInfo?: ActualLRPNetInfo;

  @OfItsTypes()
  @IsFlag()
  routable?: boolean;

  @OfItsTypes()
  @IsFlag()
  failed?: boolean;

  @OfItsTypes()
  @Optional()
  @IsText({ max: LIMITS.textBytes, anyCharacters: true })
  failureReason?: string;

  @OfItsTypes()
  @Optional()
  @IsText({ max: LIMITS.textBytes, anyCharacters: true })
  result?: string;
}

/** Body of `POST /v1/cells/:cellId/transitions`: what became of the cell's instances and tasks, in order. */
export class CellReportsRequest {
  /** The agent's epoch; reports of an older start of the agent are refused. */
  @IsInteger({ min: 0, max: Number.MAX_SAFE_INTEGER })
  epoch: number;

  @IsPartList(() => CellReportBody, { max: LIMITS.reports })
  reports: CellReport[];
}

/** Body of `PUT /v1/cells/:cellId/presence`. */
export class PresenceRequest {
  /** Absent when the agent has just started and asks for a new epoch; its epoch when it renews its presence. */
  @Optional()
  @IsInteger({ min: 0, max: Number.MAX_SAFE_INTEGER })
  epoch?: number;

  @IsPart(() => CellRegistration)
  registration: CellRegistration;
}

/** Body of `PUT /v1/cells/:cellId/drain`. */
export class DrainRequest {
  /** What is left after this long is stopped; 10 min when absent. */
  @Optional()
  @IsInteger({ min: 0 })
  timeoutMs?: number;
}
