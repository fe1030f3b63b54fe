import type { Scope } from '#rivera/platform';
import { aDesiredLRP, aTaskDefinition } from './builders.js';
import { REGISTRATION } from './fake-cell.js';

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** One route of `bbs`, with a request it would take. */
export interface Route {
  method: Method;
  path: string;
  scope: Scope;
  body?: object;
  /** Takes query parameters, so it refuses unknown ones. */
  hasQuery?: boolean;
  /** Does without the store, so it works while that is away. */
  withoutStore?: boolean;
}

/** Every route that needs a token. Cell routes are those of `cell-1`. */
export const ROUTES: readonly Route[] = [
  { method: 'post', path: '/v1/desired-lrps', scope: 'lrps:write', body: aDesiredLRP() },
  {
    method: 'post',
    path: '/v1/desired-lrps/bulk',
    scope: 'lrps:read',
    body: { operations: [{ get: 'nobody' }] },
  },
  { method: 'get', path: '/v1/desired-lrps', scope: 'lrps:read', hasQuery: true },
  { method: 'get', path: '/v1/desired-lrps/nobody', scope: 'lrps:read' },
  { method: 'patch', path: '/v1/desired-lrps/nobody', scope: 'lrps:write', body: { instances: 2 } },
  { method: 'delete', path: '/v1/desired-lrps/nobody', scope: 'lrps:write' },
  {
    method: 'post',
    path: '/v1/deployments',
    scope: 'lrps:write',
    body: { processGuid: 'nobody', definition: aDesiredLRP() },
  },
  { method: 'get', path: '/v1/deployments', scope: 'lrps:read', hasQuery: true },
  { method: 'get', path: '/v1/deployments/nobody', scope: 'lrps:read' },
  { method: 'post', path: '/v1/deployments/nobody/pause', scope: 'lrps:write' },
  { method: 'post', path: '/v1/deployments/nobody/resume', scope: 'lrps:write' },
  { method: 'post', path: '/v1/deployments/nobody/cancel', scope: 'lrps:write' },
  { method: 'get', path: '/v1/actual-lrps', scope: 'lrps:read', hasQuery: true },
  { method: 'delete', path: '/v1/actual-lrps/nobody/0', scope: 'lrps:write' },
  {
    method: 'post',
    path: '/v1/tasks',
    scope: 'tasks:write',
    body: { taskGuid: 'some-task', domain: 'd', definition: aTaskDefinition() },
  },
  { method: 'get', path: '/v1/tasks', scope: 'tasks:read', hasQuery: true },
  { method: 'get', path: '/v1/tasks/nobody', scope: 'tasks:read' },
  { method: 'post', path: '/v1/tasks/nobody/cancel', scope: 'tasks:write' },
  { method: 'post', path: '/v1/tasks/nobody/resolve', scope: 'tasks:write' },
  { method: 'delete', path: '/v1/tasks/nobody', scope: 'tasks:write' },
  { method: 'get', path: '/v1/cells', scope: 'cells:read' },
  { method: 'get', path: '/v1/cells/nobody', scope: 'cells:read' },
  { method: 'put', path: '/v1/cells/nobody/cordon', scope: 'cells:operate' },
  { method: 'delete', path: '/v1/cells/nobody/cordon', scope: 'cells:operate' },
  { method: 'put', path: '/v1/cells/nobody/drain', scope: 'cells:operate', body: { timeoutMs: 1_000 } },
  { method: 'delete', path: '/v1/cells/nobody/drain', scope: 'cells:operate' },
  { method: 'delete', path: '/v1/cells/nobody/replacement-hold', scope: 'cells:operate' },
  { method: 'post', path: '/v1/plan', scope: 'lrps:read', body: { lrps: [aDesiredLRP()] } },
  { method: 'get', path: '/v1/actual-lrps/nobody/0/placement', scope: 'lrps:read' },
  { method: 'get', path: '/v1/capacity?memoryMb=64&diskMb=64', scope: 'cells:read', hasQuery: true },
  { method: 'post', path: '/v1/rebalance', scope: 'cells:operate', body: { dryRun: true } },
  { method: 'get', path: '/v1/admin/export', scope: 'admin:read' },
  {
    method: 'post',
    path: '/v1/admin/imports',
    scope: 'admin:write',
    body: { schema: 2, lastEvent: 0, merge: true },
  },
  {
    method: 'post',
    path: '/v1/admin/imports/records',
    scope: 'admin:write',
    body: {
      schema: 2,
      records: [
        {
          kind: 'domain',
          record: { domain: 'imported', expiresAt: 0, modificationTag: { epoch: 'e', index: 0 } },
        },
      ],
    },
  },
  { method: 'get', path: '/v1/domains', scope: 'domains:read' },
  { method: 'put', path: '/v1/domains/some-domain', scope: 'domains:write', body: { ttlSeconds: 60 } },
  { method: 'get', path: '/v1/events', scope: 'events:read', hasQuery: true },
  { method: 'put', path: '/v1/cells/cell-1/presence', scope: 'cell', body: { registration: REGISTRATION } },
  { method: 'delete', path: '/v1/cells/cell-1/presence?epoch=1', scope: 'cell', hasQuery: true },
  {
    method: 'post',
    path: '/v1/cells/cell-1/transitions',
    scope: 'cell',
    body: { epoch: 1, reports: [{ type: 'start-task', taskGuid: 'nobody' }] },
  },
  { method: 'get', path: '/v1/cells/cell-1/work', scope: 'cell' },
  { method: 'get', path: '/v1/cells/cell-1/sessions/some', scope: 'cell', withoutStore: true },
  { method: 'get', path: '/v1/cells/cell-1/stats', scope: 'cells:read' },
  { method: 'get', path: '/v1/lrps/nobody/stats', scope: 'lrps:read', hasQuery: true },
  { method: 'get', path: '/v1/lrps/nobody/logs', scope: 'lrps:read', hasQuery: true },
  { method: 'get', path: '/v1/tasks/nobody/logs', scope: 'tasks:read', hasQuery: true },
  { method: 'get', path: '/v1/actual-lrps/nobody/0/exec', scope: 'lrps:exec' },
  { method: 'get', path: '/v1/actual-lrps/nobody/0/stream-in?path=/', scope: 'lrps:exec', hasQuery: true },
  { method: 'get', path: '/v1/actual-lrps/nobody/0/stream-out?path=/', scope: 'lrps:exec', hasQuery: true },
];
