import { randomUUID } from 'node:crypto';
import { cellAddress, MailboxServer } from '#rivera/actor';
import { RiveraClient } from '#rivera/client';
import { CELL_MESSAGES, type CellRegistration } from '#rivera/models';
import { Readiness, RiveraLogger } from '#rivera/platform';
import { Agent } from '../../../apps/cell/src/rep/agent.js';
import { Presence } from '../../../apps/cell/src/rep/presence.js';
import type { Rep } from '../../../apps/cell/src/rep/rep.js';
import { WorkList } from '../../../apps/cell/src/rep/work-list.js';
import type { Cluster } from '../../support/cluster.js';
import { forAll } from '../bbs/measure.js';

const SYNC_INTERVAL_MS = 30_000;
const CAPACITY = { memoryMb: 512 * 1024, diskMb: 1024 * 1024, containers: 500 };

/**
 * Many cells in this process. Each has the agent of a real cell with what costs others something: presence, mailbox and the
 * comparison with the store, at the real intervals. What is simulated is what costs the cell alone: there is no container
 * and no actor for one; the comparison is of the guids that the store says with those it said before.
 */
export class SimulatedCells {
  private readonly agents: Agent[] = [];
  private readonly mailboxes: MailboxServer[] = [];
  /** How often what the store says of a cell was compared, and how often it was not what it had been. */
  compared = 0;
  changed = 0;

  constructor(
    private readonly cluster: Cluster,
    readonly cells: readonly { cellId: string; zone: string }[],
  ) {}

  /** Resolves when all are registered and have compared once. */
  async start(): Promise<void> {
    const logger = RiveraLogger.create({ app: 'cells', level: 'error', destination: process.stderr });
    await forAll(this.cells.length, 16, async (position) => {
      const readiness = new Readiness();
      this.startCell(this.cells[position]!, readiness, logger);
      while (!(await readiness.report()).ready) await new Promise((resolve) => setTimeout(resolve, 20));
    });
  }

  async stop(): Promise<void> {
    for (const agent of this.agents) agent.stop();
    await Promise.all(this.mailboxes.map((mailbox) => mailbox.close()));
  }

  private startCell(
    { cellId, zone }: { cellId: string; zone: string },
    readiness: Readiness,
    logger: RiveraLogger,
  ): void {
    const token = this.cluster.token({ sub: cellId, scope: 'cell', cellId });
    const client = new RiveraClient({ api: this.cluster.api, token, userAgent: `rivera-cell/${cellId}` });
    const registration: CellRegistration = {
      zone,
      address: '10.0.0.1',
      backend: 'fake',
      capacity: CAPACITY,
      rootfsProviders: [
        { scheme: 'preloaded', stacks: ['cflinuxfs4'] },
        { scheme: 'preloaded+layer', stacks: ['cflinuxfs4'] },
        { scheme: 'docker' },
      ],
    };
    const onReplaced = (error: Error) => {
      throw error;
    };
    const presence = new Presence({
      client,
      cellId,
      logger,
      onReplaced,
      registration: () => registration,
      onGrant: () => undefined,
    });
    const mailbox = new MailboxServer({
      address: cellAddress(cellId),
      connection: this.cluster.redis.url,
      messages: CELL_MESSAGES,
      startPaused: true,
      logger,
    });
    const rep = this.simulatedRep(new WorkList(client, cellId)) as Rep;
    const agent = new Agent({ rep, presence, mailbox, syncIntervalMs: SYNC_INTERVAL_MS, readiness, logger });
    this.agents.push(agent);
    this.mailboxes.push(mailbox);
    agent.start();
  }

  private simulatedRep(list: WorkList): Pick<Rep, 'synchronize' | 'census'> {
    let known: string | undefined;
    return {
      census: () => ({}),
      synchronize: async () => {
        const { actualLRPs } = await list.read();
        const guids = actualLRPs.map(({ instanceGuid }) => instanceGuid).join();
        this.compared += 1;
        if (known !== undefined && known !== guids) this.changed += 1;
        known = guids;
      },
    };
  }
}

export function cellNames(count: number): { cellId: string; zone: string }[] {
  const run = randomUUID().slice(0, 4);
  return Array.from({ length: count }, (_, i) => ({ cellId: `cell-${run}-${i}`, zone: `z${(i % 3) + 1}` }));
}
