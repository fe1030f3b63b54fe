import { setTimeout as sleep } from 'node:timers/promises';
import type { RiveraClient } from '#rivera/client';
import { type CellReport, type CellReportResult, RiveraError } from '#rivera/models';
import { messageOf } from '../executor/step.js';
import type { RiveraLogger } from '#rivera/platform';

const MAX_BATCH = 500;
const RETRY_MS = 500;

interface Waiting {
  report: CellReport;
  resolve: (result: CellReportResult) => void;
  reject: (error: unknown) => void;
}

export interface ReporterOptions {
  client: RiveraClient;
  cellId: string;
  /** The epoch of this agent's registration; reports wait until there is one. */
  epoch: () => Promise<number>;
  logger: RiveraLogger;
  /** Another agent speaks for this cell now. */
  onReplaced: (error: RiveraError) => void;
}

/**
 * Tells the store what happens here, in order and in batches: what comes up while a request is under way goes with the
 * next. A report is repeated until it was answered; every rule takes a repetition as success or says that it is done.
 */
export class Reporter {
  private readonly waiting: Waiting[] = [];
  private isSending = false;

  constructor(private readonly options: ReporterOptions) {}

  report(report: CellReport): Promise<CellReportResult> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ report, resolve, reject });
      void this.send();
    });
  }

  private async send(): Promise<void> {
    if (this.isSending) return;
    this.isSending = true;
    while (this.waiting.length > 0) {
      // One turn of the loop, so that what happens at the same moment goes together.
      await new Promise((resolve) => setImmediate(resolve));
      const batch = this.waiting.splice(0, MAX_BATCH);
      const results = await this.deliver(batch.map(({ report }) => report));
      batch.forEach(({ resolve, reject }, position) => {
        const result = results?.[position];
        if (result !== undefined) resolve(result);
        else
          reject(new RiveraError('stale-epoch', 'This agent has been replaced; its report was not taken.'));
      });
    }
    this.isSending = false;
  }

  private async deliver(reports: CellReport[]): Promise<CellReportResult[] | undefined> {
    const { client, cellId, epoch, logger, onReplaced } = this.options;
    for (;;) {
      try {
        return await client.reportTransitions(cellId, { epoch: await epoch(), reports });
      } catch (error) {
        if (error instanceof RiveraError && (error.code === 'stale-epoch' || error.code === 'fenced')) {
          onReplaced(error);
          return undefined;
        }
        logger.warn('failed-to-report', { reports: reports.length, reason: messageOf(error) });
        await sleep(RETRY_MS);
      }
    }
  }
}
