/**
 * Diego BBS wire reference §1.1: every route over one bare connection, with success and with every error that the reference
 * has for it (§3.3, §3.5, §3.7, §4); event streams and states of cells, however they are asked.
 */
import * as wire from '#rivera/diego-wire';
import { DIEGO_SERVICES, type DiegoServices } from '../../apps/bbs/src/diego/diego-listeners.js';
import { type BbsHarness, startBbs } from '../support/bbs.js';
import { FakeCell } from '../support/fake-cell.js';
import { WireConnection } from '../support/wire.js';
import { WIRE_ENV, wirePort } from '../support/wire-bbs.js';
import {
  aWireDesiredLRP,
  aWireTask,
  encodeWireRequest,
  type RequestOf,
  WIRE_PATHS,
  WIRE_STREAMS,
  type WirePath,
} from '../support/wire-calls.js';

const BODY_LIMIT = 65_536;
let bbs: BbsHarness;
let connection: WireConnection;
beforeAll(async () => {
  bbs = await startBbs({ env: { ...WIRE_ENV, BODY_LIMIT_BYTES: String(BODY_LIMIT) } });
  await new FakeCell(bbs, 'cell-1').register();
});
afterAll(() => bbs.stop());
beforeEach(async () => {
  connection = await WireConnection.open(wirePort(bbs));
});
afterEach(async () => {
  expect((await connection.send('/v1/ping')).body.toString('hex')).toBe('0801');
  connection.close();
});

const { ErrorType } = wire;
const INVALID = ErrorType.InvalidRequest;
const MISSING = ErrorType.ResourceNotFound;
const EXISTS = ErrorType.ResourceExists;
const TRANSITION = ErrorType.InvalidStateTransition;

/** The errors that the reference has for a route, beside those of all routes. */
const ERRORS: Record<WirePath, wire.ErrorType[]> = {
  '/v1/domains/list': [],
  '/v1/domains/upsert': [INVALID],
  '/v1/cells/list.r1': [],
  '/v1/actual_lrps/list': [],
  '/v1/actual_lrps/list_by_process_guids': [INVALID],
  '/v1/actual_lrps/claim': [INVALID, MISSING, ErrorType.ActualLRPCannotBeClaimed],
  '/v1/actual_lrps/start': [INVALID, ErrorType.ActualLRPCannotBeStarted],
  '/v1/actual_lrps/start.r1': [INVALID, ErrorType.ActualLRPCannotBeStarted],
  '/v1/actual_lrps/crash': [INVALID, MISSING, ErrorType.ActualLRPCannotBeCrashed],
  '/v1/actual_lrps/fail': [INVALID, ErrorType.ActualLRPCannotBeFailed],
  '/v1/actual_lrps/remove': [INVALID, MISSING],
  '/v1/actual_lrps/retire': [INVALID, MISSING],
  '/v1/actual_lrps/remove_evacuating': [INVALID, MISSING, ErrorType.ActualLRPCannotBeRemoved],
  '/v1/actual_lrps/evacuate_claimed': [INVALID, MISSING],
  '/v1/actual_lrps/evacuate_crashed': [INVALID, MISSING],
  '/v1/actual_lrps/evacuate_stopped': [INVALID, MISSING],
  '/v1/actual_lrps/evacuate_running': [INVALID],
  '/v1/actual_lrps/evacuate_running.r1': [INVALID],
  '/v1/actual_lrp_groups/list': [],
  '/v1/actual_lrp_groups/list_by_process_guid': [INVALID],
  '/v1/actual_lrp_groups/get_by_process_guid_and_index': [INVALID, MISSING],
  '/v1/desired_lrps/list.r3': [],
  '/v1/desired_lrps/list.r2': [],
  '/v1/desired_lrps/get_by_process_guid.r3': [INVALID, MISSING],
  '/v1/desired_lrps/get_by_process_guid.r2': [INVALID, MISSING],
  '/v1/desired_lrp_scheduling_infos/list': [],
  '/v1/desired_lrp_scheduling_infos/get_by_process_guid': [INVALID, MISSING],
  '/v1/desired_lrp_routing_infos/list': [],
  '/v1/desired_lrp/desire.r2': [INVALID, EXISTS],
  '/v1/desired_lrp/update': [INVALID, MISSING],
  '/v1/desired_lrp/remove': [INVALID, MISSING],
  '/v1/tasks/list.r3': [],
  '/v1/tasks/list.r2': [],
  '/v1/tasks/get_by_task_guid.r3': [INVALID, MISSING],
  '/v1/tasks/get_by_task_guid.r2': [INVALID, MISSING],
  '/v1/tasks/desire.r2': [INVALID, EXISTS],
  '/v1/tasks/start': [INVALID, MISSING, TRANSITION],
  '/v1/tasks/cancel': [INVALID, MISSING, TRANSITION],
  '/v1/tasks/reject': [INVALID, MISSING],
  '/v1/tasks/fail': [INVALID, MISSING, TRANSITION],
  '/v1/tasks/complete': [INVALID, MISSING, TRANSITION, ErrorType.RunningOnDifferentCell],
  '/v1/tasks/resolving': [INVALID, MISSING, TRANSITION],
  '/v1/tasks/delete': [INVALID, MISSING, TRANSITION],
};

const processGuid = 'robust';
const actualLrpNetInfo = { address: '10.0.0.1', ports: [{ containerPort: 8080, hostPort: 61_001 }] };

/** An index as its cell speaks of it; of another run, on another cell. */
const slot = (index: number, guid = processGuid) => ({
  actualLrpKey: { processGuid: guid, index, domain: 'some-domain' },
});
const mine = (index: number) => ({
  ...slot(index),
  actualLrpInstanceKey: { instanceGuid: `i${index}`, cellId: 'cell-1' },
});
const yours = (index: number) => ({
  ...slot(index),
  actualLrpInstanceKey: { instanceGuid: 'other', cellId: 'cell-2' },
});
const nobodys = { ...yours(0), ...slot(0, 'missing') };
const bare = ({ actualLrpKey: { processGuid: guid, index }, actualLrpInstanceKey }: typeof nobodys) => ({
  processGuid: guid,
  index,
  actualLrpInstanceKey,
});

type Step<P extends WirePath = WirePath> = {
  [Q in P]: [path: Q, request: RequestOf<Q>, expected: wire.ErrorType | 'ok'];
}[P];

const gets = [
  '/v1/desired_lrps/get_by_process_guid.r3',
  '/v1/desired_lrps/get_by_process_guid.r2',
  '/v1/desired_lrp_scheduling_infos/get_by_process_guid',
] as const;
const lists = [
  '/v1/domains/list',
  '/v1/cells/list.r1',
  '/v1/desired_lrps/list.r3',
  '/v1/desired_lrps/list.r2',
  '/v1/desired_lrp_scheduling_infos/list',
  '/v1/desired_lrp_routing_infos/list',
  '/v1/actual_lrps/list',
  '/v1/actual_lrp_groups/list',
  '/v1/tasks/list.r3',
  '/v1/tasks/list.r2',
] as const;

const LRP_STEPS: Step[] = [
  ['/v1/domains/upsert', { domain: 'some-domain', ttl: 60 }, 'ok'],
  ['/v1/domains/upsert', { ttl: 5 }, INVALID],
  ['/v1/desired_lrp/desire.r2', { desiredLrp: aWireDesiredLRP({ processGuid, instances: 6 }) }, 'ok'],
  ['/v1/desired_lrp/desire.r2', { desiredLrp: aWireDesiredLRP({ processGuid }) }, EXISTS],
  ['/v1/desired_lrp/desire.r2', {}, INVALID],
  ['/v1/desired_lrp/update', { processGuid, update: { annotation: 'a' } }, 'ok'],
  ['/v1/desired_lrp/update', { processGuid: 'missing', update: {} }, MISSING],
  ['/v1/desired_lrp/update', { processGuid }, INVALID],
  ...gets.flatMap((path): Step[] => [
    [path, { processGuid }, 'ok'],
    [path, { processGuid: 'missing' }, MISSING],
    [path, {}, INVALID],
  ]),
  ['/v1/actual_lrps/list_by_process_guids', { processGuids: [processGuid] }, 'ok'],
  ['/v1/actual_lrps/list_by_process_guids', {}, INVALID],
  ['/v1/actual_lrp_groups/list_by_process_guid', { processGuid }, 'ok'],
  ['/v1/actual_lrp_groups/list_by_process_guid', {}, INVALID],
  ['/v1/actual_lrp_groups/get_by_process_guid_and_index', { processGuid, index: 1 }, 'ok'],
  ['/v1/actual_lrp_groups/get_by_process_guid_and_index', { processGuid, index: 9 }, MISSING],
  ['/v1/actual_lrp_groups/get_by_process_guid_and_index', { processGuid, index: -1 }, INVALID],
  ['/v1/actual_lrps/claim', bare(mine(0)), 'ok'],
  ['/v1/actual_lrps/claim', bare(yours(0)), ErrorType.ActualLRPCannotBeClaimed],
  ['/v1/actual_lrps/claim', bare(nobodys), MISSING],
  ['/v1/actual_lrps/claim', { processGuid }, INVALID],
  ...(['/v1/actual_lrps/start.r1', '/v1/actual_lrps/start'] as const).flatMap((path, index): Step[] => [
    [path, { ...mine(index), actualLrpNetInfo }, 'ok'],
    [path, { ...yours(index), actualLrpNetInfo }, ErrorType.ActualLRPCannotBeStarted],
    [path, mine(index), INVALID],
  ]),
  ['/v1/actual_lrps/crash', { ...yours(1), errorMessage: 'e' }, ErrorType.ActualLRPCannotBeCrashed],
  ['/v1/actual_lrps/crash', { ...nobodys, errorMessage: 'e' }, MISSING],
  ['/v1/actual_lrps/crash', slot(1), INVALID],
  ['/v1/actual_lrps/crash', { ...mine(1), errorMessage: 'e' }, 'ok'],
  ['/v1/actual_lrps/fail', { ...slot(0), errorMessage: 'e' }, ErrorType.ActualLRPCannotBeFailed],
  ['/v1/actual_lrps/fail', slot(1), INVALID],
  ['/v1/actual_lrps/fail', { ...slot(1), errorMessage: 'e' }, 'ok'],
  ['/v1/actual_lrps/evacuate_running.r1', { ...mine(0), actualLrpNetInfo }, 'ok'],
  ['/v1/actual_lrps/evacuate_running.r1', slot(0), INVALID],
  ['/v1/actual_lrps/remove_evacuating', yours(0), ErrorType.ActualLRPCannotBeRemoved],
  ['/v1/actual_lrps/remove_evacuating', nobodys, MISSING],
  ['/v1/actual_lrps/remove_evacuating', slot(0), INVALID],
  ['/v1/actual_lrps/remove_evacuating', mine(0), 'ok'],
  ['/v1/actual_lrps/start.r1', { ...mine(2), actualLrpNetInfo }, 'ok'],
  ['/v1/actual_lrps/evacuate_running', { ...mine(2), actualLrpNetInfo }, 'ok'],
  ['/v1/actual_lrps/evacuate_running', slot(2), INVALID],
  ['/v1/actual_lrps/claim', bare(mine(3)), 'ok'],
  ['/v1/actual_lrps/evacuate_claimed', slot(3), INVALID],
  ['/v1/actual_lrps/evacuate_claimed', nobodys, MISSING],
  ['/v1/actual_lrps/evacuate_claimed', mine(3), 'ok'],
  ['/v1/actual_lrps/start.r1', { ...mine(4), actualLrpNetInfo }, 'ok'],
  ['/v1/actual_lrps/evacuate_crashed', mine(4), INVALID],
  ['/v1/actual_lrps/evacuate_crashed', { ...nobodys, errorMessage: 'e' }, MISSING],
  ['/v1/actual_lrps/evacuate_crashed', { ...mine(4), errorMessage: 'e' }, 'ok'],
  ['/v1/actual_lrps/start.r1', { ...mine(5), actualLrpNetInfo }, 'ok'],
  ['/v1/actual_lrps/retire', slot(5), 'ok'],
  ['/v1/actual_lrps/retire', slot(9), MISSING],
  ['/v1/actual_lrps/retire', {}, INVALID],
  ['/v1/actual_lrps/evacuate_stopped', slot(5), INVALID],
  ['/v1/actual_lrps/evacuate_stopped', nobodys, MISSING],
  ['/v1/actual_lrps/evacuate_stopped', mine(5), 'ok'],
  ['/v1/actual_lrps/remove', { processGuid, index: 9 }, MISSING],
  ['/v1/actual_lrps/remove', {}, INVALID],
  ['/v1/actual_lrps/remove', { processGuid, index: 5 }, 'ok'],
  ...lists.map((path): Step => [path, {}, 'ok']),
  ['/v1/desired_lrp/remove', { processGuid }, 'ok'],
  ['/v1/desired_lrp/remove', { processGuid }, MISSING],
  ['/v1/desired_lrp/remove', {}, INVALID],
];

const [done, cancelled, failed, rejected] = ['done', 'cancelled', 'failed', 'rejected'];
const missing = { taskGuid: 'missing' };
const here = { taskGuid: done, cellId: 'cell-1' };
const there = { taskGuid: done, cellId: 'cell-2' };
const TASK_STEPS: Step[] = [
  ...[done, cancelled, failed, rejected].map((taskGuid): Step => {
    return ['/v1/tasks/desire.r2', aWireTask({ taskGuid }), 'ok'];
  }),
  ['/v1/tasks/desire.r2', aWireTask({ taskGuid: done }), EXISTS],
  ['/v1/tasks/desire.r2', { taskGuid: 'other' }, INVALID],
  ...(['/v1/tasks/get_by_task_guid.r3', '/v1/tasks/get_by_task_guid.r2'] as const).flatMap((path): Step[] => [
    [path, { taskGuid: done }, 'ok'],
    [path, missing, MISSING],
    [path, {}, INVALID],
  ]),
  ['/v1/tasks/start', here, 'ok'],
  ['/v1/tasks/start', there, TRANSITION],
  ['/v1/tasks/start', { ...there, ...missing }, MISSING],
  ['/v1/tasks/start', { taskGuid: done }, INVALID],
  ['/v1/tasks/complete', there, ErrorType.RunningOnDifferentCell],
  ['/v1/tasks/complete', { ...there, ...missing }, MISSING],
  ['/v1/tasks/complete', { taskGuid: done }, INVALID],
  ['/v1/tasks/complete', { ...here, result: 'r' }, 'ok'],
  ['/v1/tasks/complete', here, TRANSITION],
  ['/v1/tasks/delete', { taskGuid: done }, TRANSITION],
  ['/v1/tasks/resolving', { taskGuid: done }, 'ok'],
  ['/v1/tasks/resolving', { taskGuid: done }, TRANSITION],
  ['/v1/tasks/resolving', missing, MISSING],
  ['/v1/tasks/resolving', {}, INVALID],
  ['/v1/tasks/delete', { taskGuid: done }, 'ok'],
  ['/v1/tasks/delete', { taskGuid: done }, MISSING],
  ['/v1/tasks/delete', {}, INVALID],
  ['/v1/tasks/cancel', { taskGuid: cancelled }, 'ok'],
  ['/v1/tasks/cancel', { taskGuid: cancelled }, TRANSITION],
  ['/v1/tasks/cancel', missing, MISSING],
  ['/v1/tasks/cancel', {}, INVALID],
  ['/v1/tasks/fail', { taskGuid: failed, failureReason: 'f' }, 'ok'],
  ['/v1/tasks/fail', { taskGuid: failed, failureReason: 'f' }, TRANSITION],
  ['/v1/tasks/fail', missing, MISSING],
  ['/v1/tasks/fail', {}, INVALID],
  ['/v1/tasks/reject', { taskGuid: rejected, rejectionReason: 'r' }, 'ok'],
  ['/v1/tasks/reject', { taskGuid: rejected }, INVALID],
  ['/v1/tasks/reject', { taskGuid: cancelled, rejectionReason: 'r' }, INVALID],
  ['/v1/tasks/reject', { ...missing, rejectionReason: 'r' }, MISSING],
];

/** Every answer has its error in field 1; what else it has is skipped. */
const errorOf = (body: Buffer) => wire.UpsertDomainResponse.decode(body).error;

describe('1.1 every route over one connection', () => {
  it.each([
    ['LRPs', LRP_STEPS],
    ['tasks', TASK_STEPS],
  ])('succeeds, and is refused with each error the reference has: %s', async (_, steps) => {
    for (const [step, [path, request, expected]] of steps.entries()) {
      const { status, headers, body } = await connection.send(path, {
        body: encodeWireRequest(path, request),
      });
      const error = errorOf(body);
      const { type = 0 } = error ?? {};
      const said = [step, path, status, headers['content-type'], error === null ? 'ok' : type];
      expect(said).toEqual([step, path, 200, 'application/x-protobuf', expected]);
    }
  });

  it('and that was every route and every error', () => {
    const shown = new Map<string, Set<wire.ErrorType | 'ok'>>();
    for (const [path, , expected] of [...LRP_STEPS, ...TASK_STEPS])
      shown.set(path, (shown.get(path) ?? new Set()).add(expected));
    for (const path of WIRE_PATHS) {
      const outcomes = [...(shown.get(path) ?? [])].map(String);
      expect([path, outcomes.toSorted()]).toEqual([path, [...ERRORS[path].map(String), 'ok'].toSorted()]);
    }
    const { paths } = bbs.app.get<DiegoServices>(DIEGO_SERVICES);
    const known = ['/v1/ping', ...WIRE_PATHS, ...WIRE_STREAMS.map(({ path }) => path)];
    expect(paths.toSorted()).toEqual(known.toSorted());
  });
});

describe.each(WIRE_STREAMS)('1.4 $method $path, however it is asked', ({ method, path, isUnread }) => {
  it('streams to whoever asks with nothing, with a filter, and with any content type', async () => {
    const filter = wire.EventsByCellId.encode({ cellId: 'cell-1' });
    for (const body of [Buffer.alloc(0), filter]) {
      for (const type of ['application/x-protobuf', 'text/html', '']) {
        const stream = await WireConnection.open(wirePort(bbs));
        stream.write(path, { method, body, headers: { 'content-type': type } });
        const { status, headers } = await stream.head();
        expect([status, headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8']);
        stream.close();
      }
    }
  });

  it('refuses a body that cannot be read, or is too large, with 500 and nothing else', async () => {
    const bodies = isUnread ? [] : ['ff', '0a', '0aff', '08', '0b0b0b'].map((hex) => Buffer.from(hex, 'hex'));
    for (const body of [...bodies, Buffer.alloc(BODY_LIMIT + 1)]) {
      const answer = await connection.send(path, { method, body });
      expect([answer.status, answer.body.length]).toEqual([500, 0]);
    }
  });

  it('answers 405 to another method', async () => {
    for (const other of ['GET', 'POST', 'PUT', 'DELETE'].filter((each) => each !== method)) {
      const { status, headers } = await connection.send(path, { method: other });
      expect([status, headers['allow']]).toEqual([405, method]);
    }
  });
});

describe('8.1 the state of a cell, however it is asked for', () => {
  const path = '/cells/cell-1/state';
  const state = (body: Buffer) => JSON.parse(body.toString()) as object;

  it('is JSON for whoever asks, with any content type and any body', async () => {
    for (const body of [Buffer.alloc(0), Buffer.from('{'), Buffer.from([0xff])]) {
      for (const type of ['application/json', 'application/x-protobuf', '']) {
        const answer = await connection.send(path, {
          method: 'GET',
          body,
          headers: { 'content-type': type },
        });
        expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json']);
        expect(state(answer.body)).toMatchObject({ cell_id: 'cell-1' });
      }
    }
  });

  it('is refused for a cell that is not there, with another method, and with too large a body', async () => {
    const absent = await connection.send('/cells/missing/state', { method: 'GET' });
    expect([absent.status, state(absent.body)]).toEqual([404, { error: 'there is no cell missing' }]);
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const { status, headers } = await connection.send(path, { method });
      expect([status, headers['allow']]).toEqual([405, 'GET']);
    }
    const large = await connection.send(path, { method: 'GET', body: Buffer.alloc(BODY_LIMIT + 1) });
    expect([large.status, state(large.body)]).toEqual([413, { error: 'the request received is too large' }]);
    for (const other of ['/cells/cell-1', '/cells//state', '/cells/cell-1/state/', '/cells/cell-1/work'])
      expect((await connection.send(other, { method: 'GET' })).status).toBe(404);
  });
});
