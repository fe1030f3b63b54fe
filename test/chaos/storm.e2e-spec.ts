import { Chance } from './random.js';
import { storm } from './storm.js';

const FIXED_SEED = 1;
const random = Chance.ofRun();

describe('a storm of faults', () => {
  it.each([FIXED_SEED, random.seed])(
    'loses nothing and runs nothing twice (CHAOS_SEED=%i)',
    async (seed) => {
      const said: string[] = [`CHAOS_SEED=${seed}`];
      const { violations, faults } = await storm({
        seed,
        backend: 'fake',
        cells: 3,
        lrps: 60,
        storms: 1,
        stormMs: 25_000,
        gapMs: 2_000,
        pauseMs: 300,
        convergenceMs: 90_000,
        progress: (text) => said.push(text),
      });
      console.info(said.join('\n'));
      expect(violations).toEqual([]);
      expect(faults).toBeGreaterThan(0);
    },
    240_000,
  );
});
