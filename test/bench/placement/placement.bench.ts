import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { BenchContext, Figure } from '../bench.js';
import { CASES } from './cases.js';
import type { Job } from './cases.js';
import { compiled } from './compile.js';

/** Decisions only, on one thread; each case in a process of its own, so that its memory is its own. */
export async function bench(context: BenchContext): Promise<void> {
  const { isSmoke } = context;
  const child = compiled('child.ts');
  for (const { name, isForOracle } of CASES) {
    for (const isOracle of isForOracle ? [false, true] : [false]) {
      context.progress(isOracle ? `oracle-${name}` : name);
      for (const figure of await figuresOf(child, { name, isOracle, isSmoke })) context.report(figure);
    }
  }
}

async function figuresOf(file: string, job: Job): Promise<Figure[]> {
  const child = fork(file, [JSON.stringify(job)], { execArgv: ['--expose-gc'], stdio: 'inherit' });
  const exit = once(child, 'exit');
  const message = once(child, 'message');
  const [code] = await Promise.race([exit, message.then(() => exit)]);
  if (code !== 0) throw new Error(`The case ${job.name} ended with exit code ${String(code)}.`);
  const [figures] = (await message) as [Figure[]];
  return figures;
}
