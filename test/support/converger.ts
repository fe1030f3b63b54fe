import { Test, type TestingModule } from '@nestjs/testing';
import { Clock, Metrics, RiveraLogger } from '#rivera/platform';
import { loadConvergerConfig } from '../../apps/converger/src/converger.config.js';
import { ConvergerModule } from '../../apps/converger/src/converger.module.js';
import { Converger } from '../../apps/converger/src/converger.js';

/** A whole `converger` in this process, active, over a store that somebody else started. */
export interface ConvergerHarness {
  readonly app: TestingModule;
  /** What it has logged. */
  readonly log: Record<string, unknown>[];
  /** Moves its clock on and wakes it. */
  advance(ms: number): void;
  now(): number;
  /** The value of one of its metrics, 0 if it was never set. */
  metric(name: string, labels?: Record<string, string>): Promise<number>;
  stop(): Promise<void>;
}

export interface ConvergerHarnessOptions {
  redisUrl: string;
  /** Milliseconds since the Unix epoch at the start. */
  now: number;
  env?: Record<string, string>;
  /** Its fencing token. @defaultValue 1 */
  token?: number;
}

export async function startConverger(options: ConvergerHarnessOptions): Promise<ConvergerHarness> {
  const { redisUrl, env, token = 1 } = options;
  let { now } = options;
  const log: Record<string, unknown>[] = [];
  const logger = RiveraLogger.create({
    app: 'converger',
    destination: { write: (line) => log.push(JSON.parse(line) as Record<string, unknown>) },
  });
  const config = loadConvergerConfig({ REDIS_URL: redisUrl, PRESENCE_GRACE_MS: '0', ...env });
  const app = await Test.createTestingModule({ imports: [ConvergerModule.forRoot(config, logger)] })
    .overrideProvider(Clock)
    .useValue({ now: () => now })
    .setLogger(logger)
    .compile();
  await app.init();
  const converger = app.get(Converger);
  const active = new AbortController();
  await converger.activate(token, active.signal);
  return {
    app,
    log,
    advance: (ms) => {
      now += ms;
      converger.wake();
    },
    now: () => now,
    metric: async (name, labels = {}) => {
      const found = await app.get(Metrics).registry.getSingleMetric(`rivera_${name}`)?.get();
      const isAsked = (given: object) =>
        Object.entries(labels).every(([label, value]) => (given as Record<string, unknown>)[label] === value);
      return found?.values.find((one) => isAsked(one.labels))?.value ?? 0;
    },
    stop: async () => {
      active.abort();
      await app.close();
    },
  };
}
