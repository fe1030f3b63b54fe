import type { Mailboxes } from '#rivera/actor';
import { type AuctionEngine, type AuctionOptions, IndexedAuction } from '#rivera/auction';
import type { Clock, Ids, Metrics, RiveraLogger } from '#rivera/platform';
import type { CellRepository, EventLog, ProcessRepository, Store, TaskRepository } from '#rivera/store';
import { AuctionMetrics } from './auction-metrics.js';
import { CellMessages } from './cell-messages.js';
import { DecisionMemory } from './decision-memory.js';
import { PictureLoader } from './picture-loader.js';
import { PlacementCommits } from './placement-commits.js';
import { WorkReader } from './work-reader.js';

export interface AuctioneerOptions extends Partial<AuctionOptions> {
  /** How long a cell has to claim what it was given. */
  placementDeadlineMs: number;
}

/** What an auctioneer is made of that outlives a lease. */
export interface AuctioneerParts {
  /** An engine that knows no cell yet. */
  newEngine: () => AuctionEngine;
  store: Store;
  log: EventLog;
  loader: PictureLoader;
  reader: WorkReader;
  commits: PlacementCommits;
  messages: CellMessages;
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
  cells: CellRepository;
  mailboxes: Mailboxes;
  clock: Clock;
  ids: Ids;
  metrics: Metrics;
  logger: RiveraLogger;
}

export function auctioneerParts(
  foundations: Foundations,
  { placementDeadlineMs, ...auction }: AuctioneerOptions,
): AuctioneerParts {
  const { store, log, processes, tasks, cells, mailboxes, clock, ids, metrics, logger } = foundations;
  const reader = new WorkReader(processes, tasks);
  return {
    newEngine: () => new IndexedAuction([], auction),
    store,
    log,
    loader: new PictureLoader(cells, processes, tasks),
    reader,
    commits: new PlacementCommits(store, reader, clock, ids, placementDeadlineMs),
    messages: new CellMessages(mailboxes, logger),
    decisions: new DecisionMemory(),
    metrics: new AuctionMetrics(metrics),
    clock,
    logger,
  };
}
