import { Controller, type Type } from '@nestjs/common';
import { EventPattern } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { cellAddress, MailboxServer } from '#rivera/actor';
import { CELL_MESSAGES, notFound } from '#rivera/models';
import { RiveraLogger } from '#rivera/platform';
import type { Session } from '#rivera/session';
import { CellSessions } from '../../apps/bbs/src/sessions/cell-sessions.js';
import { Link, type LinkOptions, type SessionHandlers } from '../../apps/cell/src/link/link.js';
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
  link: Link;
  /** What it has logged, line by line. */
  readonly log: string[];
  /** A session as a bbs gets it that has not said yet what it wants. */
  connected(): Promise<Session>;
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
  options: Pick<LinkOptions, 'maxSessions'> = {},
): Promise<LinkedCell> {
  const log: string[] = [];
  const logger = RiveraLogger.create({ app: cellId, destination: { write: (line) => log.push(line) } });
  const cell = await new FakeCell(bbs, cellId).register();
  const link = new Link({
    ...options,
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
    link,
    log,
    connected: () => bbs.app.get(CellSessions).connect(cellId),
    get sessions() {
      return link.size;
    },
    stop: async () => {
      await link.close();
      await app.close();
    },
  };
}
