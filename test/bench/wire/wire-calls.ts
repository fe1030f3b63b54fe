import * as wire from '#rivera/diego-wire';
import { messageOf } from '../../../apps/bbs/src/diego/mapping/records.js';
import { aRealisticDesiredLRP, aTaskDefinition } from '../../support/builders.js';
import type { Api } from '../bbs/api.js';
import { NET_INFO, ROUTES } from '../bbs/json-calls.js';
import type { Calls } from '../bbs/operations.js';

const HEADERS = { 'content-type': 'application/x-protobuf' };
const DOMAIN = 'bench';

/** A client and a cell over Diego's wire API, with the same LRPs and tasks as over the JSON API. */
export class WireCalls implements Calls {
  constructor(
    private readonly api: Api,
    private readonly cellId: string,
  ) {}

  health(): Promise<Buffer> {
    return this.call('/v1/ping', wire.EventsByCellId, {});
  }

  get(processGuid: string): Promise<Buffer> {
    return this.call('/v1/desired_lrps/get_by_process_guid.r3', wire.DesiredLRPByProcessGuidRequest, {
      processGuid,
    });
  }

  desire(processGuid: string, instances: number): Promise<Buffer> {
    const desiredLrp = messageOf('DesiredLRP', { ...aRealisticDesiredLRP(), processGuid, instances });
    return this.call('/v1/desired_lrp/desire.r2', wire.DesireLRPRequest, { desiredLrp });
  }

  updateRoutes(processGuid: string): Promise<Buffer> {
    return this.update(processGuid, { routes: messageOf('ProtoRoutes', ROUTES) });
  }

  scale(processGuid: string, instances: number): Promise<Buffer> {
    return this.update(processGuid, { instances });
  }

  update(processGuid: string, update: wire.DesiredLRPUpdate): Promise<Buffer> {
    return this.call('/v1/desired_lrp/update', wire.UpdateDesiredLRPRequest, { processGuid, update });
  }

  remove(processGuid: string): Promise<Buffer> {
    return this.call('/v1/desired_lrp/remove', wire.RemoveDesiredLRPRequest, { processGuid });
  }

  claim(processGuid: string, instanceGuid: string): Promise<Buffer> {
    const actualLrpInstanceKey = { instanceGuid, cellId: this.cellId };
    return this.call('/v1/actual_lrps/claim', wire.ClaimActualLRPRequest, {
      processGuid,
      actualLrpInstanceKey,
    });
  }

  start(processGuid: string, instanceGuid: string): Promise<Buffer> {
    return this.call('/v1/actual_lrps/start.r1', wire.StartActualLRPRequest, {
      actualLrpKey: { processGuid, domain: DOMAIN },
      actualLrpInstanceKey: { instanceGuid, cellId: this.cellId },
      actualLrpNetInfo: messageOf('ActualLRPNetInfo', NET_INFO),
      availabilityZone: 'z1',
      routable: true,
    });
  }

  desireTask(taskGuid: string): Promise<Buffer> {
    const taskDefinition = messageOf('TaskDefinition', aTaskDefinition());
    return this.call('/v1/tasks/desire.r2', wire.DesireTaskRequest, {
      taskGuid,
      domain: DOMAIN,
      taskDefinition,
    });
  }

  startTask(taskGuid: string): Promise<Buffer> {
    return this.call('/v1/tasks/start', wire.StartTaskRequest, { taskGuid, cellId: this.cellId });
  }

  completeTask(taskGuid: string): Promise<Buffer> {
    const outcome = { taskGuid, cellId: this.cellId, result: 'done' };
    return this.call('/v1/tasks/complete', wire.CompleteTaskRequest, outcome);
  }

  resolveTask(taskGuid: string): Promise<Buffer> {
    return this.call('/v1/tasks/resolving', wire.TaskGuidRequest, { taskGuid });
  }

  deleteTask(taskGuid: string): Promise<Buffer> {
    return this.call('/v1/tasks/delete', wire.TaskGuidRequest, { taskGuid });
  }

  /** The answer as bytes, which nobody has to read; an error rejects. */
  async call<Q>(path: string, codec: wire.Codec<Q>, message: Q): Promise<Buffer> {
    const answer = await this.api.send('POST', path, HEADERS, codec.encode(message));
    // Field 1 comes first and is the error.
    if (answer[0] === 0x0a) throw new Error(`${path}: ${answer.toString('utf8', 0, 200)}`);
    return answer;
  }
}
