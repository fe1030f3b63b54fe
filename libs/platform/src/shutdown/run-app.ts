import { RiveraError } from '#rivera/models';

import { loadConfig } from '../config/load-config.js';
import { type LogConfig, logConfig } from '../config/log.config.js';
import { RiveraLogger } from '../logging/rivera-logger.js';

/** A running program: a Nest application, or anything else that can be closed. */
export interface Closable {
  close(): Promise<unknown>;
  /** How long closing may take, where that is known better than by `RunOptions`. */
  closeDeadlineMs?: number;
}

export interface RunOptions {
  /** How long closing may take before the process ends regardless. */
  deadlineMs?: number;
  logger?: RiveraLogger;
  /** Replaced in tests. */
  host?: Pick<NodeJS.Process, 'on' | 'exit'>;
}

const DEADLINE_MS = 10_000;

/**
 * The frame around every `main.ts`: `await runApp('cell', async (logger) => …start, return the app…)`.
 *
 * Logs a failed start in one line (with a stack only when it was unforeseen) and exits 1. Exits 1 on an unhandled
 * error. On SIGTERM or SIGINT it closes the app and exits 0, or 1 when closing failed or took longer than the deadline;
 * a second signal ends it at once.
 */
export async function runApp(
  app: string,
  main: (logger: RiveraLogger) => Promise<Closable>,
  options: RunOptions = {},
): Promise<void> {
  const { deadlineMs = DEADLINE_MS, host = process } = options;
  const logger = options.logger ?? RiveraLogger.create({ app, ...readLogConfig() });
  for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
    host.on(event, (error: unknown) => {
      logger.fatal('unhandled-error', { kind: event, error });
      host.exit(1);
    });
  }
  let running: Closable | undefined;
  let isStopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (isStopping) host.exit(1);
    isStopping = true;
    logger.log('shutting-down', { signal });
    host.exit(
      running === undefined || (await close(running, logger, running.closeDeadlineMs ?? deadlineMs)) ? 0 : 1,
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) host.on(signal, () => void stop(signal));

  try {
    running = await main(logger);
    logger.log('started');
  } catch (error) {
    const isForeseen = error instanceof RiveraError;
    logger.fatal('failed-to-start', isForeseen ? { reason: error.message } : { error });
    host.exit(1);
  }
}

async function close(app: Closable, logger: RiveraLogger, deadlineMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    const giveUp = () => reject(new Error(`Closing took longer than ${deadlineMs} ms.`));
    timer = setTimeout(giveUp, deadlineMs);
  });
  try {
    await Promise.race([app.close(), deadline]);
    logger.log('stopped');
    return true;
  } catch (error) {
    logger.error('failed-to-stop', { error });
    return false;
  } finally {
    clearTimeout(timer);
  }
}

/** A wrong LOG_LEVEL is reported by `main`, together with every other wrong variable. */
function readLogConfig(): Partial<LogConfig> {
  try {
    return loadConfig({ log: logConfig }).log;
  } catch {
    return {};
  }
}
