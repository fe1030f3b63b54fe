import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeOf } from '../../../apps/cli/src/up/node-of.js';
import { Program } from '../../support/program.js';
import { freePort } from '../../support/redis.js';
import type { BenchContext } from '../bench.js';
import { Api } from '../bbs/api.js';
import { type BbsUnderTest, CALLERS, CELL, withBbs } from '../bbs/bbs.bench.js';
import { JsonCalls } from '../bbs/json-calls.js';
import { measure } from '../bbs/measure.js';
import { operationsOf } from '../bbs/operations.js';
import { DIEGO_STATEMENTS, SCHEMA } from './diego-statements.js';
import { hasPostgres, PrivatePostgres } from './private-postgres.js';

/** The first is to warm up and not counted. */
const ROUNDS = 6;

const BARE_SERVER = fileURLToPath(new URL('bare-server.mjs', import.meta.url));

/** Microseconds of processor time for an operation. */
interface Spent {
  postgres: number;
  rivera: number;
  bare: number;
}

/**
 * What PostgreSQL alone spends on the statements that Diego's BBS makes for an operation, beside what Rivera spends on the
 * whole operation (`bbs` and Redis, over HTTP), by turns on one machine: figures of Diego's from elsewhere can be brought
 * to this one by it. And what the same bytes cost when nothing is done but moving them (`bare-server.mjs` and Redis).
 */
export async function bench(context: BenchContext): Promise<void> {
  if (!hasPostgres()) throw new Error('This benchmark needs PostgreSQL: install postgresql-15.');
  const calls = context.isSmoke ? 3 * CALLERS : 200 * CALLERS;
  const postgres = await PrivatePostgres.start(SCHEMA);
  try {
    await withBbs({}, (bbs) =>
      withBareServer(bbs, async (bare) => {
        const spent = Object.fromEntries(
          Object.keys(DIEGO_STATEMENTS).map((name) => [name, { postgres: 0, rivera: 0, bare: 0 }]),
        );
        for (let round = 0; round < ROUNDS; round += 1) {
          context.progress(`round ${round + 1} of ${ROUNDS}`);
          const share = round === 0 ? 0 : 1 / (ROUNDS - 1);
          for (const [name, cost] of Object.entries(await roundOf(round, calls, { postgres, bbs, bare }))) {
            for (const who of ['postgres', 'rivera', 'bare'] as const) spent[name]![who] += cost[who] * share;
          }
        }
        for (const [name, cost] of Object.entries(spent)) report(context, name, cost);
      }),
    );
  } finally {
    await postgres.stop();
  }
}

/** Each operation so many times with each of them. */
async function roundOf(
  round: number,
  calls: number,
  { postgres, bbs, bare }: { postgres: PrivatePostgres; bbs: BbsUnderTest; bare: Bare },
): Promise<Record<string, Spent>> {
  const costs: Record<string, Spent> = {};
  const ofBbs = operationsOf(bbs.json, `round-${round}-`, calls);
  const ofBare = operationsOf(bare.json, `bare-${round}-`, calls);
  for (const [name, statements] of Object.entries(DIEGO_STATEMENTS)) {
    const times = { callers: CALLERS, times: calls / CALLERS, base: round * calls };
    const connectingUs = await postgres.call('SELECT 1;', { ...times, times: 1 });
    const ofPostgres = ((await postgres.call(statements, times)) - connectingUs) / calls;
    const cpuOf = async (operations: typeof ofBbs, pids: number[]) => {
      const { call } = operations.find((operation) => operation.name === name)!;
      return (await measure(calls, call, { callers: CALLERS, pids })).cpuUsPerOp;
    };
    const rivera = await cpuOf(ofBbs, bbs.pids);
    costs[name] = { postgres: ofPostgres, rivera, bare: await cpuOf(ofBare, bare.pids) };
  }
  return costs;
}

function report(context: BenchContext, name: string, { postgres, rivera, bare }: Spent): void {
  const figure = (metric: string, value: number, unit: string) =>
    context.report({ case: name, metric, value, unit });
  figure('postgres_cpu_us_per_op', postgres, 'us');
  figure('cpu_us_per_op', rivera, 'us');
  figure('cpu_ratio', rivera / postgres, 'ratio');
  figure('bare_cpu_us_per_op', bare, 'us');
  figure('bare_cpu_ratio', bare / postgres, 'ratio');
}

/** The bare server, over the Redis of a `bbs`. */
type Bare = Pick<BbsUnderTest, 'json' | 'pids'>;

async function withBareServer(
  { cluster, pids: [, redisPid = NaN] }: BbsUnderTest,
  use: (bare: Bare) => Promise<void>,
): Promise<void> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const program = new Program({
    name: 'bare-server',
    main: BARE_SERVER,
    nodeArgs: nodeOf('bbs').args,
    env: { REDIS_URL: cluster.redis.url, CELL_ID: CELL, PORT: String(port) },
    readyUrl: url,
    logFile: join(cluster.directory, 'bare-server.log'),
  });
  const api = new Api(url, CALLERS);
  try {
    await program.start();
    const json = new JsonCalls(api, cluster, CELL);
    await json.register();
    await use({ json, pids: [program.pid, redisPid] });
  } finally {
    api.close();
    await program.stop();
  }
}
