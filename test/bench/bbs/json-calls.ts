import { aRealisticDesiredLRP, aTaskDefinition } from '../../support/builders.js';
import type { Cluster } from '../../support/cluster.js';
import type { Api } from './api.js';
import type { Calls } from './operations.js';

const SCOPES = 'lrps:read lrps:write tasks:read tasks:write cells:read events:read';
export const ROUTES = { 'cf-router': [{ hostnames: ['www.example.com'], port: 8080 }] };
export const NET_INFO = { address: '10.0.0.1', ports: [{ containerPort: 8080, hostPort: 61_001 }] };

/** A client and a cell over the JSON API. */
export class JsonCalls implements Calls {
  private readonly token: string;
  private readonly cellToken: string;
  private epoch = 0;

  constructor(
    private readonly api: Api,
    cluster: Cluster,
    private readonly cellId: string,
  ) {
    this.token = cluster.token({ sub: 'bench', scope: SCOPES });
    this.cellToken = cluster.token({ sub: cellId, scope: 'cell', cellId });
  }

  /** The cell registers. */
  async register(): Promise<void> {
    const registration = {
      zone: 'z1',
      address: '10.0.0.1',
      backend: 'fake',
      capacity: { memoryMb: 1, diskMb: 1, containers: 1 },
      rootfsProviders: [{ scheme: 'preloaded', stacks: ['bench'] }],
    };
    const path = `/v1/cells/${this.cellId}/presence`;
    const grant = await this.api.call(this.cellToken, 'PUT', path, JSON.stringify({ registration }));
    ({ epoch: this.epoch } = JSON.parse(grant) as { epoch: number });
  }

  health(): Promise<string> {
    return this.api.call(this.token, 'GET', '/healthz');
  }

  get(processGuid: string): Promise<string> {
    return this.api.call(this.token, 'GET', `/v1/desired-lrps/${processGuid}`);
  }

  desire(processGuid: string, instances: number): Promise<string> {
    return this.post('/v1/desired-lrps', { ...aRealisticDesiredLRP(), processGuid, instances });
  }

  bulkDesire(prefix: string, size: number): Promise<string> {
    const operations = Array.from({ length: size }, (_, i) => ({
      desire: { ...aRealisticDesiredLRP(), processGuid: `${prefix}-${i}`, instances: 1 },
    }));
    return this.post('/v1/desired-lrps/bulk', { operations });
  }

  update(processGuid: string, update: object): Promise<string> {
    return this.api.call(this.token, 'PATCH', `/v1/desired-lrps/${processGuid}`, JSON.stringify(update));
  }

  updateRoutes(processGuid: string): Promise<string> {
    return this.update(processGuid, { routes: ROUTES });
  }

  scale(processGuid: string, instances: number): Promise<string> {
    return this.update(processGuid, { instances });
  }

  remove(processGuid: string): Promise<string> {
    return this.api.call(this.token, 'DELETE', `/v1/desired-lrps/${processGuid}`);
  }

  claim(processGuid: string, instanceGuid: string): Promise<void> {
    return this.report({ type: 'claim', processGuid, index: 0, instanceGuid });
  }

  start(processGuid: string, instanceGuid: string): Promise<void> {
    return this.report({
      type: 'start',
      routable: true,
      netInfo: NET_INFO,
      processGuid,
      index: 0,
      instanceGuid,
    });
  }

  desireTask(taskGuid: string): Promise<string> {
    return this.post('/v1/tasks', { taskGuid, domain: 'bench', definition: aTaskDefinition() });
  }

  startTask(taskGuid: string): Promise<void> {
    return this.report({ type: 'start-task', taskGuid });
  }

  completeTask(taskGuid: string): Promise<void> {
    return this.report({ type: 'complete-task', taskGuid, failed: false, result: 'done' });
  }

  resolveTask(taskGuid: string): Promise<string> {
    return this.post(`/v1/tasks/${taskGuid}/resolve`, {});
  }

  deleteTask(taskGuid: string): Promise<string> {
    return this.api.call(this.token, 'DELETE', `/v1/tasks/${taskGuid}`);
  }

  /** A whole list, page by page. */
  async list(path: string): Promise<void> {
    let next: string | undefined;
    do {
      const after = next === undefined ? '' : `&after=${next}`;
      const page = await this.api.call(this.token, 'GET', `${path}&limit=10000${after}`);
      next = /"next":"([^"]+)"/.exec(page.slice(-600))?.[1];
    } while (next !== undefined);
  }

  private post(path: string, body: object): Promise<string> {
    return this.api.call(this.token, 'POST', path, JSON.stringify(body));
  }

  private async report(report: object): Promise<void> {
    const body = JSON.stringify({ epoch: this.epoch, reports: [report] });
    const path = `/v1/cells/${this.cellId}/transitions`;
    const answer = await this.api.call(this.cellToken, 'POST', path, body);
    if (!answer.startsWith('{"results":[{"ok":true')) throw new Error(`The report was refused: ${answer}`);
  }
}
