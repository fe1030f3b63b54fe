import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fuzz, type FuzzReport } from './fuzz.js';
import { FuzzedServer } from './server.js';

const BBS = fileURLToPath(new URL('../../apps/bbs/src/main.js', import.meta.url));

function table({ counts }: FuzzReport): string {
  const width = Math.max(...[...counts.keys()].map((route) => route.length));
  const lines = [...counts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([route, statuses]) => {
      const told = [...statuses]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([status, count]) => `${status}: ${count}`);
      return `${route.padEnd(width)}  ${told.join('  ')}`;
    });
  return lines.join('\n');
}

/** `--requests 100000 --seed 1`; without a seed it takes another one each time, and says which. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { requests: { type: 'string' }, seed: { type: 'string' } } });
  const requests = Number(values.requests ?? 10_000);
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  console.log(`seed ${seed}, ${requests} requests`);
  const server = new FuzzedServer();
  try {
    await server.start(BBS);
    const report = await fuzz({
      server,
      requests,
      seed,
      onRound: (done) => done % 10_000 === 0 && console.log(`${done} requests`),
    });
    console.log(table(report));
    const { warm, end } = report.memoryMb;
    console.log(
      `memory: ${warm?.toFixed() ?? 'unknown'} MB when warm, ${end?.toFixed() ?? 'unknown'} MB at the end`,
    );
    console.log(`${report.hopelessRounds} rounds of refused calls left the store as it was`);
    console.log(
      `seed ${seed}: ${report.requests} requests, ${report.perSecond} a second, ${report.failures.length} failures`,
    );
    for (const failure of report.failures) console.error(`\n${failure}`);
    process.exitCode = report.failures.length === 0 ? 0 : 1;
  } finally {
    await server.stop();
  }
}

await main();
