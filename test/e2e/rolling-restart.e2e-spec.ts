import { Chance } from '../chaos/random.js';
import { rollingRestart } from '../rolling-restart/rolling-restart.js';

describe('a rolling restart', () => {
  const { seed } = Chance.ofRun();

  it(`of every program is noticed by nobody (CHAOS_SEED=${seed})`, async () => {
    const said: string[] = [`CHAOS_SEED=${seed}`];
    const { violations, restarts, tasks, placementMs } = await rollingRestart({
      seed,
      rounds: 1,
      // One kind of standby and one agent will do here.
      isRestarted: (name) => !/^(converger|cell)-2$|^converger$/.test(name),
      backend: 'process',
      cells: 2,
      lrps: 6,
      // Long, so that an agent is back in time also on a machine that is busy.
      presenceTtlMs: 60_000,
      progress: (text) => said.push(text),
    });
    console.info(said.join('\n'));
    expect(violations).toEqual([]);
    expect(Object.values(restarts).flat()).toHaveLength(5);
    expect([tasks, placementMs.length].every((count) => count > 0)).toBe(true);
  }, 240_000);
});
