import { setTimeout as sleep } from 'node:timers/promises';
import type { ActualLRP } from '#rivera/models';
import { aWebLRP } from '../../e2e/workloads.js';
import { startCluster } from '../../support/cluster.js';
import { waitFor } from '../../support/wait-for.js';
import type { BenchContext } from '../bench.js';
import { Following } from '../../support/follow.js';

const LRPS = 5;
const CLIENTS = 4;
const WAIT_MS = 180_000;

/**
 * Drains a cell of 50 web servers, real processes, while clients ask them for pages: each asks an instance that is RUNNING
 * by the events, and as routers do, another one when the first takes no connection.
 */
export async function measureDrain(context: BenchContext): Promise<void> {
  const instances = context.isSmoke ? 2 : 10;
  context.progress(`drain of ${LRPS * instances} instances under requests`);
  const cluster = await startCluster({
    cells: 2,
    backend: 'process',
    presenceTtlMs: 15_000,
    logFormat: 'json',
  });
  try {
    const following = await Following.start(cluster.client);
    await cluster.client.cordonCell('cell-2');
    const lrps = Array.from({ length: LRPS }, () => aWebLRP({ instances }));
    for (const lrp of lrps) await cluster.client.desireLRP(lrp);
    for (const { processGuid } of lrps) await cluster.untilRunning(processGuid, instances, WAIT_MS);
    await cluster.client.uncordonCell('cell-2');
    const end = new AbortController();
    const clients = Array.from({ length: CLIENTS }, () => new WebClient(following));
    const asking = Promise.all(clients.map((client) => client.ask(end.signal)));
    await sleep(1_000);
    const began = performance.now();
    await cluster.client.drainCell('cell-1');
    await waitFor(() => cluster.client.getCell('cell-1'), {
      what: 'cell-1 holds nothing',
      until: ({ work }) => Object.values(work).every((count) => count === 0),
      timeoutMs: WAIT_MS,
    });
    const durationMs = performance.now() - began;
    await sleep(1_000);
    end.abort();
    await asking;
    await following.stop();
    const sum = (of: (client: WebClient) => number): number => clients.reduce((all, one) => all + of(one), 0);
    const report = (metric: string, value: number, unit: string): void =>
      context.report({ case: `drain-${LRPS * instances}`, metric, value, unit });
    report('ms', durationMs, 'ms');
    report(
      'requests',
      sum(({ asked }) => asked),
      'count',
    );
    report(
      'asked_another',
      sum(({ askedAnother }) => askedAnother),
      'count',
    );
    report(
      'failed',
      sum(({ failed }) => failed),
      'count',
    );
  } finally {
    await cluster.stop();
  }
}

class WebClient {
  asked = 0;
  /** The first instance took no connection, or gave none of its page. */
  askedAnother = 0;
  failed = 0;
  private turn = 0;

  constructor(private readonly following: Following) {}

  async ask(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.asked += 1;
      if (!(await this.isAnswered())) {
        this.askedAnother += 1;
        if (!(await this.isAnswered())) this.failed += 1;
      }
      await sleep(10);
    }
  }

  private async isAnswered(): Promise<boolean> {
    const running = [...runningOf(this.following).values()];
    const { netInfo } = running[(this.turn += 1) % running.length] ?? {};
    try {
      const answer = await fetch(`http://${netInfo?.address}:${netInfo?.ports[0]?.hostPort}/`, {
        headers: { connection: 'close' },
      });
      await answer.text();
      return answer.ok;
    } catch {
      return false;
    }
  }
}

const known = new WeakMap<Following, { upTo: number; running: Map<string, ActualLRP> }>();

/** What runs, by the events so far. */
function runningOf(following: Following): Map<string, ActualLRP> {
  const picture = known.get(following) ?? { upTo: 0, running: new Map<string, ActualLRP>() };
  known.set(following, picture);
  const { running } = picture;
  const { items } = following;
  for (; picture.upTo < items.length; picture.upTo += 1) {
    const item = items[picture.upTo]!;
    if (!('event' in item)) continue;
    const { event } = item;
    if (event.type === 'actual_lrp_changed' || event.type === 'actual_lrp_removed') {
      running.delete(event.before.instanceGuid ?? '');
    }
    if (event.type === 'actual_lrp_changed' || event.type === 'actual_lrp_created') {
      const { instanceGuid, state } = event.after;
      if (instanceGuid !== undefined && state === 'RUNNING') running.set(instanceGuid, event.after);
    }
  }
  return running;
}
