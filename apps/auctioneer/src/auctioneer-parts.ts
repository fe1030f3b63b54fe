import type { Mailboxes } from '#rivera/actor';
import { type AuctionEngine, type AuctionOptions, IndexedAuction } from '#rivera/auction';
import type { Clock, Ids, Metrics, RiveraLogger } from '#rivera/platform';
import type { EventLog, ProcessRepository, Store, TaskRepository } from '#rivera/store';
import { AuctionMetrics } from './auction-metrics.js';
import { CellMessages } from './cell-messages.js';
import { DecisionMemory } from './decision-memory.js';
import { FailureMemory } from './failure-memory.js';
import { PictureLoader } from './picture-loader.js';
import { PlacementCommits } from './placement-commits.js';
import { WorkReader } from './work-reader.js';

export interface AuctioneerOptions extends Partial<AuctionOptions> {
  /** How long a cell has to claim what it was given. */
  placementDeadlineMs: number;
  /** How long a cell on which an app failed is tried last for it; 0 = not at all. */
  failureMemoryMs: number;
}

/** What an auctioneer is made of that outlives a lease. */
export interface AuctioneerParts {
  /** An engine that knows no cell yet. */
  newEngine: () => AuctionEngine;
  store: Store;
  processes: ProcessRepository;
  log: EventLog;
  loader: PictureLoader;
  reader: WorkReader;
  commits: PlacementCommits;
  messages: CellMessages;
  failures: FailureMemory;
  decisions: DecisionMemory;
  metrics: AuctionMetrics;
  clock: Clock;
  logger: RiveraLogger;
}

/** What the parts are built on. */
export interface Foundations {
  store: Store;
  log: EventLog;
  processes: ProcessRepository;
  tasks: TaskRepository;
  mailboxes: Mailboxes;
  clock: Clock;
  ids: Ids;
  metrics: Metrics;
  logger: RiveraLogger;
}

export function auctioneerParts(
  foundations: Foundations,
  { placementDeadlineMs, failureMemoryMs, ...auction }: AuctioneerOptions,
): AuctioneerParts {
  const { store, log, processes, tasks, mailboxes, clock, ids, metrics, logger } = foundations;
  const failures = new FailureMemory(failureMemoryMs);
  const reader = new WorkReader(processes, tasks, (guid) => failures.cellsThatFailed(guid, clock.now()));
  return {
    newEngine: () => new IndexedAuction([], auction),
    store,
    processes,
    log,
    loader: new PictureLoader(store),
    reader,
    commits: new PlacementCommits(store, reader, clock, ids, placementDeadlineMs),
    messages: new CellMessages(mailboxes, logger),
    failures,
    decisions: new DecisionMemory(),
    metrics: new AuctionMetrics(metrics),
    clock,
    logger,
  };
}
