import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

export type { Counter, Gauge, Histogram } from 'prom-client';

export interface MetricOptions<L extends string> {
  /** Without the prefix `rivera_`, which every metric gets. Names are API. */
  name: string;
  help: string;
  labels?: readonly L[];
}

export interface HistogramOptions<L extends string> extends MetricOptions<L> {
  /** Upper bounds, in the unit of the metric (seconds by Prometheus' convention). */
  buckets?: readonly number[];
}

/** Of a scheduler whose own part of a start is milliseconds and whose engine's part is seconds. */
const DEFAULT_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * How often it is looked whether the event loop is late. Each look wakes the process, so Node's own 10 ms would be most of
 * what it costs at rest. The metrics `nodejs_eventloop_lag_{min,max,mean,p50,p90,p99}_seconds` include this time.
 */
export const EVENT_LOOP_RESOLUTION_MS = 100;

/** The metrics of one process. Asking twice for the same name returns the same metric. */
export class Metrics {
  readonly registry = new Registry();

  /** @param options.app label on every metric; `options.defaults: false` leaves out Node's own metrics (tests) */
  constructor(options: { app?: string; defaults?: boolean } = {}) {
    if (options.app !== undefined) this.registry.setDefaultLabels({ app: options.app });
    if (options.defaults === false) return;
    const eventLoopMonitoringPrecision = EVENT_LOOP_RESOLUTION_MS;
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision });
  }

  counter<L extends string = string>(options: MetricOptions<L>): Counter<L> {
    const known = this.find(options.name) as Counter<L> | undefined;
    return known ?? new Counter(this.configure(options));
  }

  gauge<L extends string = string>(options: MetricOptions<L>): Gauge<L> {
    const known = this.find(options.name) as Gauge<L> | undefined;
    return known ?? new Gauge(this.configure(options));
  }

  histogram<L extends string = string>(options: HistogramOptions<L>): Histogram<L> {
    const buckets = [...(options.buckets ?? DEFAULT_BUCKETS_S)];
    const known = this.find(options.name) as Histogram<L> | undefined;
    return known ?? new Histogram({ ...this.configure(options), buckets });
  }

  /** What `/metrics` answers, in the Prometheus text format. */
  render(): Promise<string> {
    return this.registry.metrics();
  }

  private find(name: string) {
    return this.registry.getSingleMetric(`rivera_${name}`);
  }

  private configure<L extends string>(options: MetricOptions<L>) {
    const { name, help, labels = [] } = options;
    return { name: `rivera_${name}`, help, labelNames: labels, registers: [this.registry] };
  }
}

/** The content type of `Metrics.render()`. */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
