import { HealthController } from '#rivera/platform';
import { ActualLRPsController } from '../actual-lrps/actual-lrps.controller.js';
import { AdminController } from '../admin/admin.controller.js';
import { CellAgentController } from '../cells/cell-agent.controller.js';
import { CellsController } from '../cells/cells.controller.js';
import { BulkController } from '../desired-lrps/bulk.controller.js';
import { DesiredLRPsController } from '../desired-lrps/desired-lrps.controller.js';
import { DomainsController } from '../domains/domains.controller.js';
import { EventsController } from '../events/events.controller.js';
import { ExecController } from '../exec/exec.controller.js';
import { LogsController } from '../logs/logs.controller.js';
import { SessionsController } from '../sessions/sessions.controller.js';
import { StatsController } from '../stats/stats.controller.js';
import { PlacementController } from '../placement/placement.controller.js';
import { RebalanceController } from '../rebalance/rebalance.controller.js';
import { DeploymentsController } from '../deployments/deployments.controller.js';
import { TasksController } from '../tasks/tasks.controller.js';
import type { Class } from './class-schemas.js';
import { DocsController } from './docs.controller.js';
import { type JsonSchema, listOf, ref } from './json-schema.js';
import { OpenApiController } from './openapi.controller.js';
import { count, maybe, record, text } from './record.js';

/** What the decorators of a handler do not say. */
export interface Operation {
  summary: string;
  /** The body of the answer when all goes well; absent: it has none. */
  answer?: JsonSchema;
  /** Of the answer; `application/json` when absent. */
  contentType?: string;
  /** Holds for the body besides what its class says. */
  body?: JsonSchema;
  /** Headers of the answer besides those of every answer. */
  headers?: readonly string[];
}

/** The operations of one controller, under one heading. */
export interface Operations {
  controller: Class;
  tag: string;
  handlers: Record<string, Operation>;
}

/** An entry for each public method of the controller, or it does not compile. */
function operationsOf<C extends object>(
  controller: abstract new (...args: never[]) => C,
  tag: string,
  handlers: Record<keyof C & string, Operation>,
): Operations {
  return { controller: controller as unknown as Class, tag, handlers };
}

function page(items: JsonSchema): JsonSchema {
  const next = { ...text, description: '`after` of the next page; absent on the last one' };
  return record<{ items: unknown[]; next?: string }>({ items: listOf(items), next: maybe(next) });
}

function items(name: string): JsonSchema {
  return record<{ items: unknown[] }>({ items: listOf(ref(name)) });
}

function results(name: string): JsonSchema {
  return record<{ results: unknown[] }>({ results: listOf(ref(name)) });
}

const desiredLRPView: JsonSchema = {
  anyOf: [ref('DesiredLRP'), ref('DesiredLRPSchedulingInfo'), ref('DesiredLRPRoutingInfo')],
};

const logStream: JsonSchema = {
  ...text,
  description:
    'server-sent events: the data of each `log` is a LogLine, of `dropped` DroppedLines, of `failed` FailedLogs',
};

/** Every operation of the API. A route without an entry here has no document: it is not built. */
export const OPERATIONS: readonly Operations[] = [
  operationsOf(DesiredLRPsController, 'Desired LRPs', {
    desire: { summary: 'Have a long-running process run', answer: ref('DesiredLRP'), headers: ['etag'] },
    list: { summary: 'List what should run', answer: page(desiredLRPView) },
    get: { summary: 'Look at what should run', answer: ref('DesiredLRP'), headers: ['etag'] },
    update: { summary: 'Scale it, or change its routes', answer: ref('DesiredLRP'), headers: ['etag'] },
    remove: { summary: 'Have it run no longer' },
  }),
  operationsOf(BulkController, 'Desired LRPs', {
    bulk: {
      summary: 'Do many things with desired LRPs at once; each succeeds or fails by itself',
      body: { properties: { operations: listOf(ref('BulkOperation')) } },
      answer: results('BulkResult'),
    },
  }),
  operationsOf(ActualLRPsController, 'Actual LRPs', {
    list: { summary: 'List what runs', answer: page(ref('ActualLRP')) },
    retire: { summary: 'Stop an instance; it is replaced' },
  }),
  operationsOf(ExecController, 'Actual LRPs', {
    exec: {
      summary:
        'Run a further process in the container of an instance: a WebSocket, see docs/logs-and-exec.md; its first message is {"type":"start","request":ExecRequest}',
    },
    streamIn: {
      summary: 'Unpack a tar stream in an instance: a WebSocket, see docs/logs-and-exec.md',
    },
    streamOut: {
      summary: 'A file or directory of an instance as a tar stream: a WebSocket, see docs/logs-and-exec.md',
    },
  }),
  operationsOf(LogsController, 'Logs and stats', {
    ofLRP: {
      summary:
        'What the instances of an LRP wrote lately, and with follow=true what they write, as server-sent events',
      contentType: 'text/event-stream',
      answer: logStream,
    },
    ofTask: {
      summary:
        'What a task wrote lately, and with follow=true what it writes until it ends, as server-sent events',
      contentType: 'text/event-stream',
      answer: logStream,
    },
  }),
  operationsOf(StatsController, 'Logs and stats', {
    ofLRP: { summary: 'What the instances of an LRP use', answer: ref('Stats') },
    ofCell: { summary: 'What the containers of a cell use', answer: ref('Stats') },
  }),
  operationsOf(DeploymentsController, 'Deployments', {
    start: {
      summary: 'Have a new definition take the place of an LRP, instance by instance',
      answer: ref('Deployment'),
    },
    list: { summary: 'List deployments', answer: page(ref('Deployment')) },
    get: { summary: 'Look at how far a deployment is', answer: ref('Deployment') },
    pause: { summary: 'Have it go no further for now', answer: ref('Deployment') },
    resume: { summary: 'Have it go on', answer: ref('Deployment') },
    cancel: { summary: 'Go back to the LRP that was to be replaced', answer: ref('Deployment') },
  }),
  operationsOf(TasksController, 'Tasks', {
    desire: { summary: 'Have a task run', answer: ref('Task') },
    list: { summary: 'List tasks', answer: page(ref('Task')) },
    get: { summary: 'Look at a task', answer: ref('Task') },
    cancel: { summary: 'Stop a task; it completes as failed', answer: ref('Task') },
    resolve: { summary: 'Take care of the result of a completed task, alone', answer: ref('Task') },
    delete: { summary: 'Forget a completed task' },
  }),
  operationsOf(DomainsController, 'Domains', {
    list: { summary: 'List the fresh domains', answer: items('Domain') },
    upsert: { summary: 'Promise that the desired list of a domain is complete', answer: ref('Domain') },
  }),
  operationsOf(EventsController, 'Events', {
    follow: {
      summary: 'Follow everything that changes, as server-sent events; Last-Event-ID resumes without a gap',
      contentType: 'text/event-stream',
      answer: { ...text, description: 'server-sent events; the data of each is an Event of these schemas' },
    },
  }),
  operationsOf(CellsController, 'Cells', {
    list: { summary: 'List the worker hosts', answer: items('Cell') },
    get: { summary: 'Look at a worker host and count what it holds', answer: ref('CellDetail') },
    cordon: { summary: 'Have a cell take no new work', answer: ref('Cell') },
    uncordon: { summary: 'Have a cell take work again; a drain is cancelled', answer: ref('Cell') },
    drain: { summary: 'Move the work off a cell, replacement first', answer: ref('Cell') },
    cancelDrain: { summary: 'End a drain where it is; the cell stays cordoned', answer: ref('Cell') },
    releaseReplacement: {
      summary: 'Replace the work of a missing cell although too many went at once',
      answer: ref('Cell'),
    },
  }),
  operationsOf(RebalanceController, 'Placement', {
    rebalance: {
      summary: 'Move instances to better cells, replacement first; or say which',
      answer: ref('RebalanceResult'),
    },
  }),
  operationsOf(PlacementController, 'Placement', {
    plan: { summary: 'Where LRPs and tasks would go; nothing is written', answer: ref('PlacementPlan') },
    explain: {
      summary: 'Why an instance is where it is, or nowhere',
      answer: ref('PlacementExplanation'),
    },
    capacity: { summary: 'How many more instances of a size fit, by zone and pool', answer: ref('Capacity') },
  }),
  operationsOf(CellAgentController, 'Cell agents', {
    presence: {
      summary: 'Say that the cell is there; without an epoch its agent has just started and gets a new one',
      answer: ref('PresenceGrant'),
    },
    leave: { summary: 'Say that the cell leaves for good' },
    transitions: {
      summary: 'Report what happened to instances and tasks; each report is answered by itself',
      answer: results('CellReportResult'),
    },
    work: { summary: 'Everything that is placed on the cell', answer: ref('CellWork') },
  }),
  operationsOf(SessionsController, 'Cell agents', {
    join: { summary: 'Be there for a bbs that wants to talk, as the mailbox said: a WebSocket' },
  }),
  operationsOf(AdminController, 'Administration', {
    exportStore: {
      summary: 'All records, secrets included, one to a line; see docs/operations/backup.md',
      contentType: 'application/x-ndjson',
      answer: text,
    },
    begin: {
      summary: 'Say what is to be imported; 412 when there are records already, unless they are to be kept',
      answer: record<{ found: number }>({ found: { ...count, description: 'Records that were there.' } }),
    },
    importRecords: {
      summary: 'Put records of an export in their places, where there is nothing yet',
      body: { properties: { records: { type: 'array', items: ref('PortableRecord') } } },
      answer: ref('ImportResult'),
    },
  }),
  operationsOf(HealthController, 'Health', {
    healthz: { summary: 'Whether the process lives', answer: record<{ status: string }>({ status: text }) },
    readyz: { summary: 'Whether it should get work; 503 when not', answer: ref('Readiness') },
    metricsText: { summary: 'Metrics for Prometheus', contentType: 'text/plain', answer: text },
  }),
  operationsOf(OpenApiController, 'Documentation', {
    document: { summary: 'This document', answer: { type: 'object' } },
  }),
  operationsOf(DocsController, 'Documentation', {
    page: {
      summary: 'A page to read this document and to try the API',
      contentType: 'text/html',
      answer: text,
    },
    asset: { summary: 'A file of that page', contentType: '*/*', answer: {} },
  }),
];
