import { Controller, type Type } from '@nestjs/common';
import { EventPattern } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { cellAddress, MailboxServer } from '#rivera/actor';
import { CELL_MESSAGES, notFound } from '#rivera/models';
import { RiveraLogger } from '#rivera/platform';
import { Link, type SessionHandlers } from '../../apps/cell/src/link/link.js';
import { logSession } from '../../apps/cell/src/logs/log-session.js';
import { RecentLogs } from '../../apps/cell/src/logs/recent-logs.js';
import { LinkController } from '../../apps/cell/src/link/link.controller.js';
import type { BbsHarness } from './bbs.js';
import { FakeCell } from './fake-cell.js';

@Controller()
class DeafController {
  @EventPattern<string>('place')
  place(): void {}

  @EventPattern<string>('stop')
  stop(): void {}
}

export type { SessionHandlers };

/** The memory for log lines that a real cell has, and the handler that reads from it. */
export function keepLogs(): { logs: RecentLogs; handler: SessionHandlers['logs'] } {
  const logs = new RecentLogs({ ringBytes: 64 * 1024, endedBytes: 1024 * 1024 });
  return { logs, handler: logSession(logs) };
}

export interface LinkedCell {
  cell: FakeCell;
  /** Sessions that are open here. */
  readonly sessions: number;
  stop(): Promise<void>;
}

const none = (): Promise<never> => Promise.reject(notFound('container of the instance', 'any'));

/** A registered cell without containers that takes sessions by its mailbox, as the real one does. */
export async function startLinkedCell(
  bbs: BbsHarness,
  cellId: string,
  handlers: Partial<SessionHandlers>,
): Promise<LinkedCell> {
  const logger = RiveraLogger.create({ app: cellId, destination: { write: () => undefined } });
  const cell = await new FakeCell(bbs, cellId).register();
  const link = new Link({
    cellId,
    client: bbs.cellClient(cellId),
    logger,
    handlers: { logs: none, exec: none, stats: none, 'stream-in': none, 'stream-out': none, ...handlers },
  });
  const strategy = new MailboxServer({
    address: cellAddress(cellId),
    connection: bbs.redis.url,
    messages: CELL_MESSAGES,
    logger,
  });
  const controllers: Type<unknown>[] = [DeafController, LinkController];
  const module = await Test.createTestingModule({
    controllers,
    providers: [{ provide: Link, useValue: link }],
  }).compile();
  const app = module.createNestMicroservice({ strategy, logger: false });
  await app.listen();
  return {
    cell,
    get sessions() {
      return link.size;
    },
    stop: async () => {
      link.close();
      await app.close();
    },
  };
}
