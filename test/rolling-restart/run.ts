import { parseArgs } from 'node:util';
import { percentile } from '../bench/bench.js';
import { copyOfDist } from '../chaos/copy-of-dist.js';
import { Chance } from '../chaos/random.js';
import type { Backend } from '../support/cluster.js';
import { rollingRestart, type RollingRestartResult } from './rolling-restart.js';

const USAGE = `usage: npm run rolling-restart -- [--rounds N] [--backend fake|process|docker] [--cells C] [--lrps L] [--only cell] [--presence-ttl MS] [--seed N] [--json]`;
const BACKENDS: readonly string[] = ['fake', 'process', 'docker'] satisfies Backend[];

/** Runs what the command line asks for. Returns the exit code: 1 when anything was violated. */
export async function runRollingRestart(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '3' },
      backend: { type: 'string', default: 'process' },
      cells: { type: 'string', default: '3' },
      lrps: { type: 'string', default: '12' },
      'presence-ttl': { type: 'string', default: '15000' },
      only: { type: 'string', default: '' },
      seed: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  if (positionals.length > 0 || !BACKENDS.includes(values.backend)) {
    console.error(USAGE);
    return 1;
  }
  const copy = await copyOfDist(`rolling-restart-${process.pid}`);
  try {
    const result = await rollingRestart({
      rounds: Number(values.rounds),
      backend: values.backend as Backend,
      cells: Number(values.cells),
      lrps: Number(values.lrps),
      presenceTtlMs: Number(values['presence-ttl']),
      seed: values.seed === undefined ? Chance.ofRun().seed : Number(values.seed),
      isRestarted: (name) => name.startsWith(values.only),
      cluster: { dist: copy.dist },
      progress: (text) => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`),
    });
    if (values.json) console.log(JSON.stringify(result));
    else report(result);
    return result.violations.length === 0 ? 0 : 1;
  } finally {
    await copy.remove();
  }
}

function report(result: RollingRestartResult): void {
  const { restarts, violations, calls, events, reconnects, tasks, probes, placementMs, callMs } = result;
  const count = Object.values(restarts).reduce((all, times) => all + times.length, 0);
  console.log(`seed ${result.seed}: ${count} restarts, ${violations.length} violations`);
  console.log(`${calls} calls, ${events} events followed over ${reconnects} reconnections`);
  console.log(`${tasks} tasks, ${probes} pages of instances asked for\n`);
  console.log('| what | count | p50 ms | p99 ms | max ms |\n| --- | ---: | ---: | ---: | ---: |');
  row('an API call', callMs);
  row('desired → RUNNING', placementMs);
  for (const [app, times] of Object.entries(restarts)) row(`${app}: SIGTERM → ready again`, times);
  for (const violation of violations) console.log(`VIOLATION ${violation}`);
}

function row(what: string, times: readonly number[]): void {
  const [p50, p99, max] = [0.5, 0.99, 1].map((share) => Math.round(percentile(times, share)));
  console.log(`| ${what} | ${times.length} | ${p50} | ${p99} | ${max} |`);
}
