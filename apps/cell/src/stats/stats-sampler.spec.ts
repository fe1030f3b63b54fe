import type { ContainerMetrics } from '#rivera/garden';
import { StatsSampler } from './stats-sampler.js';

/** A garden whose measurements the test gives, and that counts how often it is asked. */
class Measured {
  calls = 0;
  metrics = new Map<string, ContainerMetrics>();

  bulkMetrics(): Promise<Map<string, ContainerMetrics>> {
    this.calls += 1;
    return Promise.resolve(new Map(this.metrics));
  }
}

const SECOND = 1_000_000_000;

function sampler() {
  const garden = new Measured();
  const clock = { ms: 100_000 };
  return { garden, clock, sampler: new StatsSampler({ garden, onFailure: () => {}, now: () => clock.ms }) };
}

describe('the stats sampler', () => {
  it('tells the processor use between two samples, in percent of one processor', async () => {
    const { garden, clock, sampler: it_ } = sampler();
    garden.metrics.set('a', { cpuNanoseconds: 5 * SECOND, memoryBytes: 7 });
    expect(await it_.read()).toEqual(
      new Map([['a', { time: 100_000, cpuNanoseconds: 5 * SECOND, memoryBytes: 7 }]]),
    );
    clock.ms += 10_000;
    garden.metrics.set('a', { cpuNanoseconds: 20 * SECOND });
    expect((await it_.read()).get('a')).toMatchObject({ cpuPercent: 150 });
    clock.ms += 10_000;
    garden.metrics.set('a', { cpuNanoseconds: 19 * SECOND });
    expect((await it_.read()).get('a')).toMatchObject({ cpuPercent: 0 });
    clock.ms += 10_000;
    garden.metrics.delete('a');
    expect((await it_.read()).size).toBe(0);
  });

  it('measures once for all who ask at the same time, and within a second', async () => {
    const { garden, clock, sampler: it_ } = sampler();
    await Promise.all(Array.from({ length: 20 }, () => it_.read()));
    expect(garden.calls).toBe(1);
    clock.ms += 999;
    await it_.read();
    expect(garden.calls).toBe(1);
    clock.ms += 1;
    await it_.read();
    expect(garden.calls).toBe(2);
  });

  it('goes on after a measurement that failed', async () => {
    const { garden, sampler: it_ } = sampler();
    const failing = vi.spyOn(garden, 'bulkMetrics').mockRejectedValueOnce(new Error('gone'));
    await expect(it_.read()).rejects.toThrow('gone');
    failing.mockRestore();
    garden.metrics.set('a', {});
    expect((await it_.read()).size).toBe(1);
  });
});
