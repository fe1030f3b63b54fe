import { Metrics } from './metrics.js';

describe('Metrics', () => {
  it('prefixes names and renders all kinds with labels', async () => {
    const metrics = new Metrics({ app: 'bbs', defaults: false });
    metrics.counter({ name: 'crashes_total', help: 'Crashes.', labels: ['domain'] }).inc({ domain: 'cf' }, 2);
    metrics.gauge({ name: 'unplaced', help: 'Unplaced.' }).set(4);
    metrics.histogram({ name: 'auction_seconds', help: 'Auctions.', buckets: [1] }).observe(0.5);
    const text = await metrics.render();
    expect(text).toContain('rivera_crashes_total{domain="cf",app="bbs"} 2');
    expect(text).toContain('rivera_unplaced{app="bbs"} 4');
    expect(text).toContain('rivera_auction_seconds_bucket{le="1",app="bbs"} 1');
  });

  it('returns the same metric for the same name', () => {
    const metrics = new Metrics({ defaults: false });
    const options = { name: 'x_total', help: 'X.' };
    expect(metrics.counter(options)).toBe(metrics.counter(options));
  });

  it("adds Node's own metrics unless told not to", async () => {
    expect(await new Metrics().render()).toContain('process_cpu_seconds_total');
    expect(await new Metrics({ defaults: false }).render()).not.toContain('process_cpu');
  });
});
