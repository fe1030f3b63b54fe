import {
  ACTUAL_LRP_STATES,
  type ActualLRP,
  type ActualLRPInstanceKey,
  ActualLRPNetInfo,
  type Cell,
  CELL_STATES,
  type CellCensus,
  type CellDrain,
  CellRegistration,
  type CellWork,
  type ContainerStats,
  DesiredLRPRequest,
  DesiredLRPUpdate,
  type Domain,
  DeviceCount,
  type DroppedLines,
  ERROR_CODES,
  ExecRequest,
  type FieldError,
  type HeldResources,
  type LogLine,
  type InternalRoute,
  ModificationTag,
  type Placement,
  type PresenceGrant,
  PRESENCES,
  splitDesiredLRP,
  type Task,
  TASK_STATES,
  TaskDefinition,
} from '#rivera/models';
import type { CheckResult, Problem, ReadinessReport } from '#rivera/platform';
import { presentRouting } from '../http/presenters.js';
import type { ClassSchemas } from './class-schemas.js';
import { deploymentSchema } from './deployment-schema.js';
import { eventSchemas } from './event-schemas.js';
import { type JsonSchema, listOf, ref } from './json-schema.js';
import { importSchemas } from './import-schemas.js';
import { rebalanceSchemas } from './rebalance-schemas.js';
import { placementSchemas, refusalOfCell } from './placement-schemas.js';
import {
  count,
  extended,
  type Fields,
  flag,
  maybe,
  narrowed,
  record,
  text,
  textMap,
  texts,
  time,
} from './record.js';

const errorCode: JsonSchema = { type: 'string', enum: ERROR_CODES };
const fieldErrors = listOf(record<FieldError>({ field: text, rule: text, message: text }));
const placement = record<Placement>({ instanceGuid: text, cellId: text, deadline: time });
const drain: JsonSchema = {
  ...record<CellDrain>({ since: time, deadline: time }),
  description: 'An operator wants its work moved off it; what is left at the deadline is stopped.',
};
const refusal = record<{ ok: false; error: { code: string; message: string; fields?: FieldError[] } }>({
  ok: { const: false },
  error: record<{ code: string; message: string; fields?: FieldError[] }>({
    code: errorCode,
    message: text,
    fields: maybe(fieldErrors),
  }),
});

/** Everything the API answers with, by name. What records share with requests is taken from the request classes. */
export function recordSchemas(classes: ClassSchemas): Record<string, JsonSchema> {
  const tag = classes.refTo(ModificationTag);
  return {
    ...desiredLRPs(classes, tag),
    ...tasks(classes, tag),
    ...cells(classes, tag),
    ...importSchemas(),
    ...rebalanceSchemas(),
    ...eventSchemas(),
    ...placementSchemas(),
    ActualLRP: actualLRP(classes, tag),
    Deployment: deploymentSchema(tag),
    Domain: record<Domain>(
      { domain: text, expiresAt: maybe(time), modificationTag: tag },
      'A promise that the desired list of the domain is complete. Without expiresAt it holds for ever.',
    ),
    Problem: problem(),
    ExecRequest: classes.describe(ExecRequest),
    ...logs(),
    ...stats(),
    Readiness: record<ReadinessReport>({
      ready: flag,
      checks: listOf(record<CheckResult>({ name: text, ready: flag, reason: maybe(text) })),
    }),
  };
}

function desiredLRPs(classes: ClassSchemas, tag: JsonSchema): Record<string, JsonSchema> {
  const request = classes.describe(DesiredLRPRequest);
  // Derived, not asked for.
  const added = record<{ volumeDrivers?: string[]; portCount?: number; modificationTag: ModificationTag }>({
    volumeDrivers: maybe(texts),
    portCount: maybe(count),
    modificationTag: tag,
  });
  const all = extended(request, added);
  const visible = narrowed(all, (field) => field !== 'imagePassword');
  const blank = Object.fromEntries(Object.keys(request.properties ?? {}).map((field) => [field, []]));
  const { schedulingInfo } = splitDesiredLRP(blank as unknown as DesiredLRPRequest, new ModificationTag());
  const routing = presentRouting(schedulingInfo);
  const update = classes.describe(DesiredLRPUpdate);
  const guid = request.properties?.['processGuid'] ?? text;
  const operation = (kind: string, argument: JsonSchema): JsonSchema => ({
    type: 'object',
    properties: { [kind]: argument },
    required: [kind],
    additionalProperties: false,
  });
  return {
    DesiredLRP: { ...visible, description: 'What should run.' },
    DesiredLRPSchedulingInfo: narrowed(
      visible,
      (field) => field in schedulingInfo || field in (added.properties ?? {}),
    ),
    DesiredLRPRoutingInfo: narrowed(visible, (field) => field in routing),
    CellDesiredLRP: {
      ...extended(all, record<{ idempotencyKey?: string }>({ idempotencyKey: maybe(text) })),
      description: 'What should run, with all the cell needs to run it.',
    },
    BulkOperation: {
      oneOf: [
        operation('desire', classes.refTo(DesiredLRPRequest)),
        operation('update', {
          ...update,
          properties: { processGuid: guid, ...update.properties },
          required: ['processGuid'],
        }),
        operation('remove', guid),
        operation('get', guid),
      ],
    },
    BulkResult: {
      oneOf: [
        record<{ ok: true; desiredLRP?: unknown }>({
          ok: { const: true },
          desiredLRP: maybe(ref('DesiredLRP')),
        }),
        refusal,
      ],
    },
  };
}

function tasks(classes: ClassSchemas, tag: JsonSchema): Record<string, JsonSchema> {
  const definition = narrowed(classes.describe(TaskDefinition), (field) => field !== 'imagePassword');
  const fields: Fields<Omit<Task, 'idempotencyKey'>> = {
    taskGuid: text,
    domain: text,
    definition: ref('VisibleTaskDefinition'),
    state: { type: 'string', enum: TASK_STATES },
    createdAt: time,
    updatedAt: time,
    firstCompletedAt: maybe(time),
    modificationTag: tag,
    cellId: maybe(text),
    lastCellId: maybe({ ...text, description: 'where it ran before; that cell may still have its log' }),
    placement: maybe(placement),
    refusedBy: maybe(texts),
    refusal: maybe(refusalOfCell),
    rejectionCount: count,
    rejectionReason: maybe(text),
    failed: maybe(flag),
    failureReason: maybe(text),
    result: maybe(text),
  };
  return {
    VisibleTaskDefinition: { ...definition, description: 'A task definition without the image password.' },
    Task: record<Omit<Task, 'idempotencyKey'>>(fields, 'One-off work and how far it got.'),
    CellTask: record<Task>(
      { ...fields, definition: classes.refTo(TaskDefinition), idempotencyKey: maybe(text) },
      'A task with all the cell needs to run it.',
    ),
  };
}

function cells(classes: ClassSchemas, tag: JsonSchema): Record<string, JsonSchema> {
  const own = record<Omit<Cell, keyof CellRegistration>>(
    {
      cellId: text,
      state: { type: 'string', enum: CELL_STATES },
      since: time,
      epoch: { ...count, description: 'Grows with each start of the agent.' },
      cordoned: maybe({ ...flag, description: 'An operator wants it to take no new work.' }),
      drain: maybe(drain),
      replacementHeld: maybe({
        ...flag,
        description: 'Too many cells went MISSING at once: what it ran is left alone for now.',
      }),
      modificationTag: tag,
    },
    'A worker host. MISSING: its presence ran out and it has not been heard of since.',
  );
  const cell = extended(classes.describe(CellRegistration), own);
  const census = record<CellCensus>({
    placed: count,
    claimed: count,
    running: count,
    evacuating: count,
    suspect: count,
    tasks: count,
  });
  return {
    Cell: cell,
    CellDetail: {
      ...extended(cell, record<{ work: CellCensus }>({ work: census })),
      description: 'A cell with what it holds, counted. A drained cell holds nothing.',
    },
    PresenceGrant: record<PresenceGrant>({ epoch: count, ttlMs: count, drain: maybe(drain) }),
    CellWork: record<CellWork>({
      epoch: count,
      actualLRPs: listOf(ref('ActualLRP')),
      tasks: listOf(ref('CellTask')),
    }),
    CellReportResult: {
      oneOf: [
        record<{
          ok: true;
          desiredLRP?: unknown;
          task?: Task;
          alreadyStarted?: boolean;
          keepContainer?: boolean;
          waiting?: boolean;
        }>({
          ok: { const: true },
          desiredLRP: maybe(ref('CellDesiredLRP')),
          task: maybe(ref('CellTask')),
          alreadyStarted: maybe(flag),
          keepContainer: maybe(flag),
          waiting: maybe(flag),
        }),
        refusal,
      ],
    },
  };
}

function heldResources(classes: ClassSchemas): JsonSchema {
  return record<HeldResources>({
    memoryMb: count,
    diskMb: count,
    cpuMillicores: maybe(count),
    ports: maybe(count),
    devices: maybe(listOf(classes.refTo(DeviceCount))),
  });
}

function actualLRP(classes: ClassSchemas, tag: JsonSchema): JsonSchema {
  return record<ActualLRP>(
    {
      processGuid: text,
      index: count,
      domain: text,
      state: { type: 'string', enum: ACTUAL_LRP_STATES },
      presence: { type: 'string', enum: PRESENCES },
      since: time,
      modificationTag: tag,
      crashCount: count,
      crashReason: maybe(text),
      restartAt: maybe({
        ...time,
        description: `When a CRASHED instance is started again, in ${time.description}.`,
      }),
      instanceGuid: maybe(text),
      cellId: maybe(text),
      lastRun: maybe(record<ActualLRPInstanceKey>({ instanceGuid: text, cellId: text })),
      placement: maybe(placement),
      placementError: maybe(text),
      refusedBy: maybe(texts),
      refusal: maybe(refusalOfCell),
      stopping: maybe(flag),
      expiresAt: maybe({
        ...time,
        description: `When an EVACUATING record ends at the latest, in ${time.description}.`,
      }),
      moving: maybe({
        ...flag,
        description:
          'Set on an EVACUATING instance whose cell does not leave; if need be it is ORDINARY again.',
      }),
      resources: heldResources(classes),
      netInfo: maybe(classes.refTo(ActualLRPNetInfo)),
      routable: maybe(flag),
      availabilityZone: maybe(text),
      metricTags: maybe(textMap),
      internalRoutes: maybe(listOf(record<InternalRoute>({ hostname: text }))),
    },
    'One instance of a desired LRP.',
  );
}

function logs(): Record<string, JsonSchema> {
  const run = { guid: { ...text, description: 'instance guid or task guid' }, index: maybe(count) };
  return {
    LogLine: record<LogLine>(
      {
        ...run,
        time,
        number: { type: 'integer', minimum: 1, description: 'counts the lines of this run' },
        source: text,
        stream: { type: 'string', enum: ['out', 'err'] },
        text,
      },
      'One line of output.',
    ),
    DroppedLines: record<DroppedLines>(
      { ...run, dropped: count },
      'So many lines are missing here: they came faster than they were read.',
    ),
    FailedLogs: record<{ guids: string[]; cellId: string; code: string; message: string }>(
      { guids: texts, cellId: text, code: errorCode, message: text },
      'The lines of these runs cannot be had now.',
    ),
  };
}

function stats(): Record<string, JsonSchema> {
  const amount: JsonSchema = { type: 'number', minimum: 0 };
  return {
    ContainerStats: record<ContainerStats>(
      {
        guid: { ...text, description: 'instance guid or task guid' },
        processGuid: maybe(text),
        index: maybe(count),
        time,
        cpuPercent: maybe({ ...amount, description: 'of one processor, since the measurement before' }),
        cpuNanoseconds: maybe(amount),
        memoryBytes: maybe(amount),
        memoryLimitBytes: maybe({ ...amount, description: '0 = unlimited' }),
        diskBytes: maybe(amount),
        diskLimitBytes: maybe({ ...amount, description: '0 = unlimited' }),
        pids: maybe(amount),
        rxBytes: maybe(amount),
        txBytes: maybe(amount),
        ageMs: maybe(amount),
      },
      'What a container uses; what cannot be known on its cell is absent.',
    ),
    Stats: record<{ items: ContainerStats[]; unreachable?: unknown[] }>({
      items: listOf(ref('ContainerStats')),
      unreachable: maybe(
        listOf(
          record<{ cellId: string; code: string; message: string }>({
            cellId: text,
            code: errorCode,
            message: text,
          }),
        ),
      ),
    }),
  };
}

function problem(): JsonSchema {
  return record<Problem>(
    {
      type: { ...text, description: 'urn:rivera:problem: and the code' },
      title: text,
      status: { type: 'integer', minimum: 400, maximum: 599 },
      code: errorCode,
      detail: { ...text, description: 'a sentence for people' },
      fields: maybe(fieldErrors),
      traceId: text,
      instance: text,
    },
    'Why a request was refused (RFC 9457).',
  );
}
