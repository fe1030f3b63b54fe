import { randomUUID } from 'node:crypto';
import type { RiveraClient } from '#rivera/client';
import { place, placeTask } from '#rivera/lifecycle';
import type {
  ActualLRPNetInfo,
  CellRegistration,
  CellReport,
  CellReportResult,
  CellWork,
} from '#rivera/models';
import { ProcessRepository, TaskRepository } from '#rivera/store';
import type { BbsHarness } from './bbs.js';

export const REGISTRATION: CellRegistration = {
  zone: 'z1',
  address: '10.0.0.1',
  backend: 'fake',
  capacity: { memoryMb: 16_384, diskMb: 65_536, containers: 250 },
  rootfsProviders: [{ scheme: 'preloaded', stacks: ['cflinuxfs4'] }, { scheme: 'docker' }],
};

export const NET_INFO: ActualLRPNetInfo = {
  address: '10.0.0.1',
  ports: [{ containerPort: 8080, hostPort: 61_001 }],
};

/** An agent without containers: it says over HTTP what a test wants to have happened. */
export class FakeCell {
  epoch = 0;
  private readonly client: RiveraClient;

  constructor(
    private readonly bbs: BbsHarness,
    readonly cellId: string,
  ) {
    this.client = bbs.cellClient(cellId);
  }

  /** Starts the agent: it gets a new epoch. */
  async register(change: Partial<CellRegistration> = {}): Promise<this> {
    const registration = { ...REGISTRATION, ...change };
    this.epoch = (await this.client.renewCellPresence(this.cellId, { registration })).epoch;
    return this;
  }

  async report(...reports: CellReport[]): Promise<CellReportResult[]> {
    return this.client.reportTransitions(this.cellId, { epoch: this.epoch, reports });
  }

  work(): Promise<CellWork> {
    return this.client.getCellWork(this.cellId);
  }

  /** Gives the cell an instance, as the auctioneer does. */
  async place(processGuid: string, index = 0, instanceGuid = randomUUID()): Promise<Instance> {
    const placement = { instanceGuid, cellId: this.cellId, deadline: Date.now() + 60_000 };
    const processes = this.bbs.app.get(ProcessRepository);
    const transition = await processes.changeInstance({
      processGuid,
      index,
      decide: (instance) => place(instance, placement),
    });
    if (transition.length === 0) throw new Error(`${processGuid}/${index} does not wait for a cell.`);
    return new Instance(this, { processGuid, index, instanceGuid });
  }

  async placeTask(taskGuid: string): Promise<void> {
    const placement = { instanceGuid: taskGuid, cellId: this.cellId, deadline: Date.now() + 60_000 };
    const context = { now: Date.now(), newGuid: randomUUID };
    const transition = await this.bbs.app
      .get(TaskRepository)
      .change(taskGuid, (task) => placeTask(task, placement, context));
    if (transition.length === 0) throw new Error(`${taskGuid} does not wait for a cell.`);
  }

  /** An instance that runs here. */
  async run(processGuid: string, index = 0): Promise<Instance> {
    const instance = await this.place(processGuid, index);
    await instance.claim();
    await instance.start();
    return instance;
  }
}

/** One run of an instance on a fake cell. */
export class Instance {
  constructor(
    private readonly cell: FakeCell,
    readonly key: { processGuid: string; index: number; instanceGuid: string },
  ) {}

  claim(): Promise<CellReportResult> {
    return this.say({ type: 'claim', ...this.key });
  }

  start(change: { routable?: boolean } = {}): Promise<CellReportResult> {
    return this.say({ type: 'start', ...this.key, netInfo: NET_INFO, routable: true, ...change });
  }

  crash(reason = 'it fell over'): Promise<CellReportResult> {
    return this.say({ type: 'crash', ...this.key, reason });
  }

  remove(): Promise<CellReportResult> {
    return this.say({ type: 'remove', ...this.key });
  }

  refuse(reason = 'no room'): Promise<CellReportResult> {
    return this.say({ type: 'refuse', ...this.key, reason });
  }

  private async say(report: CellReport): Promise<CellReportResult> {
    const [result] = await this.cell.report(report);
    if (result === undefined) throw new Error('The report was not answered.');
    return result;
  }
}
