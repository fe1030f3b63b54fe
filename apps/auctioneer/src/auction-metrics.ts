import type { Metrics } from '#rivera/platform';

/** What the auctioneer counts. The names are API (docs/operations). */
export class AuctionMetrics {
  readonly placed;
  readonly failed;
  readonly refused;
  readonly duration;
  readonly waiting;
  readonly blocked;
  readonly distrusted;

  constructor(metrics: Metrics) {
    this.placed = metrics.counter({
      name: 'auction_placements_total',
      help: 'Instances and tasks given to a cell.',
    });
    this.failed = metrics.counter({
      name: 'auction_failures_total',
      help: 'Instances and tasks no cell could take.',
    });
    this.refused = metrics.counter({
      name: 'auction_refusals_total',
      help: 'Placements that a cell refused, or did not answer in time.',
    });
    this.duration = metrics.histogram({
      name: 'auction_duration_seconds',
      help: 'Time of one auction with its commits.',
    });
    this.waiting = metrics.gauge({
      name: 'auction_waiting',
      help: 'Instances and tasks that wait to be decided.',
    });
    this.blocked = metrics.gauge({
      name: 'auction_blocked',
      help: 'Instances and tasks that wait for room on some cell.',
    });
    this.distrusted = metrics.gauge({
      name: 'auction_distrusted_cells',
      help: 'Cells that do not take what they are given, and are left alone or on trial.',
    });
  }
}
