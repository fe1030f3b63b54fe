/**
 * A platform that speaks nothing but Diego's wire API, with real programs and real containers (processes, where there is no
 * Docker Engine).
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import * as wire from '#rivera/diego-wire';
import { useCluster } from '../support/cluster.js';
import { stablePorts } from '../support/ports.js';
import { waitFor } from '../support/wait-for.js';
import { WireClient, type WireFollower } from '../support/wire.js';
import { aWireDesiredLRP, aWireTask, wireAnswer, wireCall } from '../support/wire-calls.js';
import { hasDocker } from './workloads.js';

const [port = 0] = await stablePorts(1);
const backend = hasDocker() ? 'docker' : 'process';
const cluster = useCluster({ cells: 2, backend, bbsEnv: { DIEGO_WIRE_LISTEN: `127.0.0.1:${port}` } });
const diego = new WireClient(port);

const rootFs = 'preloaded:base';
const runAction = (script: string) => ({
  runAction: { path: '/bin/sh', args: ['-c', script], user: 'root', resourceLimits: {} },
});

async function actuals(processGuid: string): Promise<wire.ActualLRP[]> {
  return (await wireCall(diego, '/v1/actual_lrps/list', { processGuid })).actualLrps ?? [];
}

function until(processGuid: string, isAsExpected: (actuals: wire.ActualLRP[]) => boolean, what: string) {
  return waitFor(() => actuals(processGuid), { what, until: isAsExpected });
}

/** Where there is an engine, the containers that it runs are these and no others. */
async function containersAre(guids: (string | undefined)[]): Promise<void> {
  if (backend !== 'docker') return;
  await waitFor(
    async () =>
      (await cluster.containers()).filter(({ state }) => state === 'running').map(({ handle }) => handle),
    {
      what: `containers of ${guids.join()}`,
      until: (found) => new Set([...found, ...guids]).size === guids.length && found.length === guids.length,
    },
  );
}

/** Events of one process until one of this type. */
async function eventsUntil(
  stream: WireFollower,
  isLast: (type: string, data: Buffer) => boolean,
): Promise<string[]> {
  const types: string[] = [];
  for (;;) {
    const { type, data } = await stream.event();
    types.push(type.replace('actual_lrp_', ''));
    if (isLast(type, data)) return types;
  }
}

describe('the life of an LRP over the wire API alone', () => {
  it('desire, auction, container, RUNNING, events, scale, crash, remove', async () => {
    const { cells } = await waitFor(() => wireCall(diego, '/v1/cells/list.r1', {}), {
      what: 'two cells',
      until: ({ cells: found }) => found?.length === 2,
    });
    expect(cells?.map(({ cellId }) => cellId).toSorted()).toEqual(['cell-1', 'cell-2']);
    await wireCall(diego, '/v1/domains/upsert', { domain: 'cf-apps', ttl: 120 });
    const stream = await diego.follow('/v1/events/lrp_instances.r1');

    const desiredLrp = aWireDesiredLRP({
      domain: 'cf-apps',
      rootFs,
      instances: 2,
      ports: [8080],
      action: runAction('sleep 3600'),
      routes: { routes: { 'cf-router': Buffer.from('[{"hostnames":["a.example.com"],"port":8080}]') } },
      metricTags: {
        source_id: { static: 'app' },
        instance_id: { dynamic: wire.MetricTagValueDynamicValue.INDEX },
      },
    });
    const processGuid = desiredLrp.processGuid!;
    await wireCall(diego, '/v1/desired_lrp/desire.r2', { desiredLrp });
    const running = await until(
      processGuid,
      (found) => found.length === 2 && found.every(({ state }) => state === 'RUNNING'),
      'two instances RUNNING',
    );
    expect(new Set(running.map((actual) => actual.actualLrpInstanceKey.cellId)).size).toBe(2);
    for (const actual of running) {
      expect(actual.actualLrpNetInfo.ports).toMatchObject([
        { containerPort: 8080, hostPort: expect.any(Number) },
      ]);
      expect(actual.metricTags).toEqual({ source_id: 'app', instance_id: String(actual.actualLrpKey.index) });
      expect(actual.routable).toBe(true);
    }
    await containersAre(running.map(({ actualLrpInstanceKey }) => actualLrpInstanceKey.instanceGuid));
    const made: (wire.DesiredLRP | null | undefined)[] = [];
    const started = await eventsUntil(stream, (type, data) => {
      if (type === 'desired_lrp_created') made.push(wire.DesiredLRPCreatedEvent.decode(data).desiredLrp);
      if (type !== 'actual_lrp_instance_changed') return false;
      const { after, actualLrpKey } = wire.ActualLRPInstanceChangedEvent.decode(data);
      return after?.state === 'RUNNING' && actualLrpKey.processGuid === processGuid;
    });
    expect(started[0]).toBe('desired_lrp_created');
    // As the platform has sent it, with what a router and with what nobody but a cell reads.
    expect(made).toMatchObject([
      { processGuid, ports: [8080], action: desiredLrp.action, metricTags: desiredLrp.metricTags },
    ]);
    expect(Buffer.from(made[0]!.routes!.routes!['cf-router']!).toString()).toContain('a.example.com');
    expect(started).toEqual(expect.arrayContaining(['instance_created', 'instance_changed']));

    await wireCall(diego, '/v1/desired_lrp/update', { processGuid, update: { instances: 1 } });
    await until(processGuid, (found) => found.length === 1, 'one instance');
    const [first] = running.filter(({ actualLrpKey }) => !actualLrpKey.index);
    await wireCall(diego, '/v1/actual_lrps/retire', { actualLrpKey: { processGuid, domain: 'cf-apps' } });
    await until(
      processGuid,
      ([actual]) =>
        actual?.state === 'RUNNING' &&
        actual.actualLrpInstanceKey.instanceGuid !== first?.actualLrpInstanceKey.instanceGuid,
      'another instance RUNNING',
    );

    await wireCall(diego, '/v1/desired_lrp/remove', { processGuid });
    await until(processGuid, (found) => found.length === 0, 'no instance');
    await containersAre([]);
    const ended = await eventsUntil(stream, (type) => type === 'desired_lrp_removed');
    expect(ended).toEqual(expect.arrayContaining(['desired_lrp_changed', 'instance_removed']));
    stream.close();
  });

  it('a crash loop: crashed events with count, reason and time', async () => {
    const stream = await diego.follow('/v1/events/lrp_instances.r1');
    const desiredLrp = aWireDesiredLRP({ rootFs, action: runAction('exit 7') });
    const began = Date.now();
    await wireCall(diego, '/v1/desired_lrp/desire.r2', { desiredLrp });
    const crashes: wire.ActualLRPCrashedEvent[] = [];
    await eventsUntil(stream, (type, data) => {
      if (type === 'actual_lrp_crashed') crashes.push(wire.ActualLRPCrashedEvent.decode(data));
      return crashes.length === 3;
    });
    expect(crashes.map(({ crashCount }) => crashCount)).toEqual([1, 2, 3]);
    for (const { crashReason, since, actualLrpInstanceKey } of crashes) {
      expect(crashReason).toContain('status 7');
      expect(wire.toNumber(since) / 1e6).toBeGreaterThanOrEqual(began);
      expect(actualLrpInstanceKey.cellId).toMatch(/^cell-/);
    }
    const { processGuid } = desiredLrp;
    await wireCall(diego, '/v1/desired_lrp/remove', { processGuid });
    stream.close();
  });

  it('what no cell can take says why', async () => {
    const desiredLrp = aWireDesiredLRP({ rootFs: 'preloaded:nowhere' });
    await wireCall(diego, '/v1/desired_lrp/desire.r2', { desiredLrp });
    const [actual] = await until(
      desiredLrp.processGuid!,
      ([found]) => !!found?.placementError,
      'a placement error',
    );
    expect(actual?.placementError).toBe('found no compatible cell for required rootfs');
    await wireCall(diego, '/v1/desired_lrp/remove', { processGuid: desiredLrp.processGuid });
  });
});

describe('tasks over the wire API alone', () => {
  it('runs, calls back, and is gone', async () => {
    const told: object[] = [];
    const platform = createServer((request, response) => {
      void text(request).then((body) => {
        told.push(JSON.parse(body) as object);
        return response.end();
      });
    });
    platform.listen(0, '127.0.0.1');
    await once(platform, 'listening');
    const completionCallbackUrl = `http://127.0.0.1:${(platform.address() as AddressInfo).port}/done`;
    const stream = await diego.follow('/v1/events/tasks.r1');
    const request = aWireTask({
      taskDefinition: {
        ...aWireTask().taskDefinition,
        rootFs,
        action: runAction('echo -n forty-two > ${TMPDIR:-/tmp}/result'),
        resultFile: '/tmp/result',
        completionCallbackUrl,
        annotation: 'mine',
      },
    });
    const { taskGuid } = request;
    await wireCall(diego, '/v1/tasks/desire.r2', request);
    await waitFor(() => told.length, { what: 'a callback', until: (count) => count > 0 });
    expect(told[0]).toMatchObject({
      task_guid: taskGuid,
      failed: false,
      failure_reason: '',
      result: 'forty-two',
      annotation: 'mine',
    });
    const types = await eventsUntil(stream, (type) => type === 'task_removed');
    expect(types[0]).toBe('task_created');
    const { error } = await wireAnswer(diego, '/v1/tasks/get_by_task_guid.r2', { taskGuid });
    expect(error?.type).toBe(wire.ErrorType.ResourceNotFound);
    platform.close();
    stream.close();
  });

  it('is cancelled while it runs', async () => {
    const request = aWireTask({
      taskDefinition: { ...aWireTask().taskDefinition, rootFs, action: runAction('sleep 3600') },
    });
    const { taskGuid } = request;
    await wireCall(diego, '/v1/tasks/desire.r2', request);
    const look = async () => (await wireCall(diego, '/v1/tasks/get_by_task_guid.r2', { taskGuid })).task;
    await waitFor(look, { what: 'it runs', until: (task) => task?.state === wire.TaskState.Running });
    await wireCall(diego, '/v1/tasks/cancel', { taskGuid });
    expect(await look()).toMatchObject({ failed: true, failureReason: 'task was cancelled' });
    await wireCall(diego, '/v1/tasks/resolving', { taskGuid });
    await wireCall(diego, '/v1/tasks/delete', { taskGuid });
  });
});
