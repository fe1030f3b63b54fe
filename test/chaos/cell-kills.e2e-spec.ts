import { hasDocker } from '../e2e/workloads.js';
import { killCells } from './cell-kills.js';
import { Chance } from './random.js';

describe.skipIf(!hasDocker())('an agent that is killed again and again', () => {
  const { seed } = Chance.ofRun();

  it(`leaks and doubles nothing (CHAOS_SEED=${seed})`, async () => {
    const said: string[] = [`CHAOS_SEED=${seed}`];
    const { violations } = await killCells({ seed, kills: 8, lrps: 8, progress: (text) => said.push(text) });
    console.info(said.join('\n'));
    expect(violations).toEqual([]);
  }, 300_000);
});
