import type { BenchContext } from '../bench.js';
import { CALLERS, withBbs } from '../bbs/bbs.bench.js';
import { measure } from '../bbs/measure.js';
import { operationsOf } from '../bbs/operations.js';
import { DIEGO_STATEMENTS, SCHEMA } from './diego-statements.js';
import { hasPostgres, PrivatePostgres } from './private-postgres.js';

/** The first is to warm up and not counted. */
const ROUNDS = 6;

/**
 * What PostgreSQL alone spends on the statements that Diego's BBS makes for an operation, beside what Rivera spends on the
 * whole operation (`bbs` and Redis, over HTTP), by turns on one machine: figures of Diego's from elsewhere can be brought
 * to this one by it.
 */
export async function bench(context: BenchContext): Promise<void> {
  if (!hasPostgres()) throw new Error('This benchmark needs PostgreSQL: install postgresql-15.');
  const calls = context.isSmoke ? 3 * CALLERS : 200 * CALLERS;
  const postgres = await PrivatePostgres.start(SCHEMA);
  try {
    await withBbs({}, async ({ json, pids }) => {
      const spent = Object.fromEntries(
        Object.keys(DIEGO_STATEMENTS).map((name) => [name, { postgres: 0, rivera: 0 }]),
      );
      for (let round = 0; round < ROUNDS; round += 1) {
        const operations = operationsOf(json, `round-${round}-`, calls);
        for (const [name, statements] of Object.entries(DIEGO_STATEMENTS)) {
          context.progress(`round ${round + 1} of ${ROUNDS}: ${name}`);
          const { call } = operations.find((operation) => operation.name === name)!;
          const times = { callers: CALLERS, times: calls / CALLERS, base: round * calls };
          const connectingUs = await postgres.call('SELECT 1;', { ...times, times: 1 });
          const ofPostgres = ((await postgres.call(statements, times)) - connectingUs) / calls;
          const { cpuUsPerOp } = await measure(calls, call, { callers: CALLERS, pids });
          if (round === 0) continue;
          spent[name]!.postgres += ofPostgres / (ROUNDS - 1);
          spent[name]!.rivera += cpuUsPerOp / (ROUNDS - 1);
        }
      }
      for (const [name, { postgres: ofPostgres, rivera }] of Object.entries(spent)) {
        const report = (metric: string, value: number, unit: string) =>
          context.report({ case: name, metric, value, unit });
        report('postgres_cpu_us_per_op', ofPostgres, 'us');
        report('cpu_us_per_op', rivera, 'us');
        report('cpu_ratio', rivera / ofPostgres, 'ratio');
      }
    });
  } finally {
    await postgres.stop();
  }
}
