import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { type LogOptions, RiveraError, type RiveraEvent } from '#rivera/models';
import { type Principal, RiveraLogger } from '#rivera/platform';
import { EventHub } from '../events/event-hub.js';
import type { LogQuery } from '../http/queries.js';
import { CellSessions } from '../sessions/cell-sessions.js';
import type { Run } from '../sessions/runs.js';
import { LogCollector } from './log-collector.js';
import { type FailedLogs, LogResponse } from './log-response.js';

/** Runs are looked for at least this often, whatever events said; and a cell that could not be reached is tried again. */
const LOOK_INTERVAL_MS = 10_000;

/** What can be read now, as the store says. */
export interface LogState {
  runs: Run[];
  /** No further run will come. */
  isOver: boolean;
}

export interface LogRequest {
  reply: FastifyReply;
  user: Principal;
  query: LogQuery;
  /** Rejects with `not-found` when there is nothing whose lines could be read. */
  look: () => Promise<LogState>;
  /** Whether the event may mean that there are other runs. */
  isAbout: (event: RiveraEvent) => boolean;
}

/** Answers requests for log lines. Following goes on from run to run, wherever the next one is. */
@Injectable()
export class LogStreams {
  constructor(
    private readonly sessions: CellSessions,
    private readonly hub: EventHub,
    private readonly logger: RiveraLogger,
  ) {}

  async answer(request: LogRequest): Promise<void> {
    const { reply, user, query } = request;
    const { runs } = await request.look();
    // Routes of GET answer HEAD too; a stream without a body would not even send its head.
    if (reply.request.method === 'HEAD')
      return void (await reply.type('text/event-stream; charset=utf-8').send());
    const isFollowing = query.follow === 'true';
    const options: LogOptions = { follow: isFollowing, tail: query.tail, since: query.since };
    const response = new LogResponse(reply.raw);
    const collector = new LogCollector({ sessions: this.sessions, response, options });
    const asking = collector.add(runs);
    // Who follows waits anyway. Otherwise a refusal has to come before the head.
    if (!isFollowing) requireAny(runs, await Promise.race([asking, collector.begun.then(() => [])]));
    reply.hijack();
    response.open({ 'x-request-id': String(reply.getHeader('x-request-id')) }, user.expiresAt);
    const failures = await asking;
    for (const failure of failures) await response.failed(failure);
    if (isFollowing) await this.follow(request, { collector, response, failures });
    else {
      await collector.finished();
      response.end();
    }
  }

  private async follow(
    { look, isAbout }: LogRequest,
    {
      collector,
      response,
      failures,
    }: { collector: LogCollector; response: LogResponse; failures: FailedLogs[] },
  ): Promise<void> {
    let wake = (): void => {};
    const subscription = await this.hub.subscribe(undefined, {
      take: (item) => {
        if ('reset' in item || isAbout(item.event)) wake();
        return true;
      },
      end: (reason) => response.end(reason),
    });
    subscription.begin();
    response.closed.addEventListener('abort', () => wake());
    let isTold = new Set(failures.map(({ cellId }) => cellId));
    while (!response.closed.aborted) {
      // Set before the look, so that what happens during it is not missed.
      const woken = new Promise<void>((resolve) => (wake = resolve));
      const state = await this.look(look);
      const failed = await collector.add(state?.runs ?? []);
      for (const failure of failed) if (!isTold.has(failure.cellId)) await response.failed(failure);
      isTold = new Set(failed.map(({ cellId }) => cellId));
      if (state?.isOver) {
        await collector.finished();
        response.end();
        break;
      }
      await within(LOOK_INTERVAL_MS, woken);
    }
    subscription.end();
  }

  /** Undefined while the store does not answer. */
  private async look(look: () => Promise<LogState>): Promise<LogState | undefined> {
    try {
      return await look();
    } catch (error) {
      if (error instanceof RiveraError && error.code === 'not-found') return { runs: [], isOver: true };
      this.logger.warn('failed-to-look-for-runs', { error });
      return undefined;
    }
  }
}

/** When nothing at all can be read, that is the answer. */
function requireAny(runs: Run[], failures: FailedLogs[]): void {
  const [first] = failures;
  const failed = failures.reduce((sum, { guids }) => sum + guids.length, 0);
  const present = runs.filter(({ isPast }) => !isPast);
  if (first !== undefined && failed === present.length) throw first.error;
}

async function within(ms: number, woken: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([woken, late]);
  clearTimeout(timer);
}
