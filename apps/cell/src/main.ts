import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { cellAddress, MailboxServer } from '#rivera/actor';
import { RiveraClient } from '#rivera/client';
import type { Garden } from '#rivera/garden';
import { CELL_MESSAGES, type CellCapacity, type CellRegistration, type RiveraError } from '#rivera/models';
import { Metrics, PlatformModule, Readiness, type RiveraLogger, runApp } from '#rivera/platform';
import { type CellConfig, loadCellConfig } from './cell.config.js';
import { openServices } from './cell-services.js';
import { ImageKeeper } from './containers/image-keeper.js';
import type { SandboxPool } from './containers/sandbox-pool.js';
import type { CellServices } from './containers/services.js';
import type { StepResult } from './executor/step.js';
import { execSession } from './exec/exec-session.js';
import { streamInSession, streamOutSession } from './exec/stream-sessions.js';
import { openGarden } from './garden.js';
import { Link } from './link/link.js';
import { LinkController } from './link/link.controller.js';
import { logSession } from './logs/log-session.js';
import { RecentLogs } from './logs/recent-logs.js';

import { Agent } from './rep/agent.js';
import { Drain } from './rep/drain.js';
import { Presence } from './rep/presence.js';
import { thoroughCollection, QuietCollection } from './rep/quiet-collection.js';
import { Rep } from './rep/rep.js';
import { RepController } from './rep/rep.controller.js';
import { Reporter } from './rep/reporter.js';
import { SelfCheck } from './rep/self-check.js';
import { StatsSampler } from './stats/stats-sampler.js';
import { statsSession } from './stats/stats-session.js';

/** Memory for the last lines of runs that have ended. */
const ENDED_LOGS_BYTES = 16 * 1024 * 1024;

/** What is being started when the agent ends gets this long: it leaves time to hand the rest back within the deadline. */
const START_PATIENCE_MS = 5_000;

/** Beside a drain: time for what was stopped at its deadline, and to close everything. */
const CLOSE_DEADLINE_MS = 40_000;

/** The agent of a worker host. `--remove-containers` removes all containers of this cell and ends. */
@Module({})
class CellModule {}

await runApp('cell', async (logger) => {
  const { cell: config, containers, health } = loadCellConfig();
  const garden = await openGarden(config, containers, logger);
  if (process.argv.includes('--remove-containers')) return removeContainers(garden, logger);

  const { cellId } = config;
  const client = new RiveraClient({
    api: config.api,
    token: config.token,
    userAgent: `rivera-cell/${cellId}`,
  });
  const logs = new RecentLogs({ ringBytes: config.logRingBytes, endedBytes: ENDED_LOGS_BYTES });
  const services = await openServices({ cell: config, containers, garden, logs, logger });
  const capacity: CellCapacity = { ...(await garden.capacity()), ...config.limits };
  // Whoever has taken over this cell's name decides; a supervisor starts this one again, under a new epoch.
  const onReplaced = (error: RiveraError) => {
    logger.fatal('replaced', { reason: error.message });
    process.exit(1);
  };
  const presence = new Presence({
    client,
    cellId,
    logger,
    onReplaced,
    registration: () => ({
      ...registrationOf(config, services, capacity),
      ...((drain.isDraining || !selfCheck.isHealthy) && { evacuating: true }),
    }),
    onGrant: (grant) => drain.follow(grant.drain),
  });
  const reporter = new Reporter({ client, cellId, epoch: () => presence.epoch, logger, onReplaced });
  const ends: { count(result: StepResult): void } = { count: () => {} };
  const rep = new Rep({
    services,
    capacity,
    client,
    reporter,
    logger,
    onCompleted: (result) => ends.count(result),
  });
  const sampler = new StatsSampler({
    garden,
    onFailure: (error) => logger.warn('failed-to-measure-containers', { error }),
  });
  const quiet = new QuietCollection({
    state: () => JSON.stringify(rep.census()),
    collect: thoroughCollection,
  });
  const imageKeeper = new ImageKeeper({ garden, filling: containers.images, logger });
  const link = new Link({
    cellId,
    client,
    logger,
    handlers: {
      logs: logSession(logs),
      exec: execSession(rep),
      'stream-in': streamInSession(rep),
      'stream-out': streamOutSession(rep),
      stats: statsSession(sampler, () => rep.holdings()),
    },
  });
  const drain = new Drain(rep, logger);
  const selfCheck = new SelfCheck({
    ...config.selfCheck,
    garden,
    logger,
    onChange: () => {
      rep.problem = selfCheck.problem;
      presence.renew();
    },
  });
  const mailbox = new MailboxServer({
    address: cellAddress(cellId),
    connection: config.busUrl,
    messages: CELL_MESSAGES,
    startPaused: true,
    logger,
  });
  const app = await NestFactory.createMicroservice(
    {
      module: CellModule,
      imports: [PlatformModule.forRoot({ logger, healthListen: health })],
      controllers: [RepController, LinkController],
      providers: [
        { provide: Rep, useValue: rep },
        { provide: Link, useValue: link },
      ],
    },
    { strategy: mailbox, logger, abortOnError: false },
  );
  ends.count = measure(app.get(Metrics), { rep, link, sandboxes: services.sandboxes, selfCheck });
  const agent = new Agent({
    rep,
    presence,
    mailbox,
    syncIntervalMs: config.syncIntervalMs,
    readiness: app.get(Readiness),
    logger,
  });
  app.get(Readiness).register('self-check', () => selfCheck.isHealthy);
  agent.start();
  selfCheck.start();
  sampler.start();
  imageKeeper.start();
  quiet.start();
  await app.listen();
  logger.log('cell-started', { cellId, zone: config.zone, backend: garden.backend, ...capacity });
  return {
    ...(config.drainOnStopMs > 0 && { closeDeadlineMs: config.drainOnStopMs + CLOSE_DEADLINE_MS }),
    close: async () => {
      let isDrained = false;
      if (config.drainOnStopMs > 0) {
        const leaving = drain.leave(config.drainOnStopMs);
        presence.renew();
        isDrained = await leaving;
      }
      agent.stop();
      await rep.finishStarting(START_PATIENCE_MS);
      services.sandboxes.close();
      // Nothing is left that could be missed, so nobody has to wait for the presence to run out.
      if (isDrained) await client.endCellPresence(cellId, await presence.epoch);
      sampler.stop();
      imageKeeper.stop();
      quiet.stop();
      selfCheck.stop();
      await link.close();
      await app.close();
      await garden.close();
    },
  };
});

function registrationOf(
  config: CellConfig,
  services: CellServices,
  capacity: CellCapacity,
): CellRegistration {
  const { zone, address, placementTags, optionalPlacementTags, labels, pool, maxStarting } = config;
  const { garden, mounts } = services;
  // The layer is the cell's business, not the backend's.
  const layered = garden
    .rootfsProviders()
    .filter(({ scheme }) => scheme === 'preloaded')
    .map(({ stacks }) => ({ scheme: 'preloaded+layer', stacks }));
  return {
    zone,
    address,
    backend: garden.backend,
    capacity,
    rootfsProviders: [...garden.rootfsProviders(), ...layered],
    volumeDrivers: mounts.drivers,
    placementTags,
    optionalPlacementTags,
    ...(Object.keys(labels).length > 0 && { labels }),
    ...(pool !== undefined && { pool }),
    ...(maxStarting !== undefined && { maxStarting }),
  };
}

/** The answer counts the ends of containers. */
function measure(
  metrics: Metrics,
  { rep, link, sandboxes, selfCheck }: { rep: Rep; link: Link; sandboxes: SandboxPool; selfCheck: SelfCheck },
): (result: StepResult) => void {
  const containers = metrics.gauge({
    name: 'cell_containers',
    help: 'Containers by state.',
    labels: ['state'],
  });
  const remaining = metrics.gauge({
    name: 'cell_remaining',
    help: 'What is left for new work.',
    labels: ['resource'],
  });
  const sessions = metrics.gauge({
    name: 'cell_sessions',
    help: 'Sessions that are open: logs, exec, files, stats.',
    labels: [],
  });
  const warm = metrics.gauge({
    name: 'cell_warm_sandboxes',
    help: 'Networks that wait for a container.',
    labels: [],
  });
  const failing = metrics.gauge({
    name: 'cell_self_check_failed',
    help: '1 while the cell cannot make, run and destroy a container of its own.',
    labels: [],
  });
  setInterval(() => {
    failing.set({}, selfCheck.isHealthy ? 0 : 1);
    warm.set({}, sandboxes.waiting);
    sessions.set({}, link.size);
    containers.reset();
    for (const [state, count] of Object.entries(rep.census())) containers.set({ state }, count);
    for (const [resource, left] of Object.entries(rep.remaining())) remaining.set({ resource }, left);
  }, 5_000).unref();
  const completed = metrics.counter({
    name: 'cell_containers_completed_total',
    help: 'Containers that ended, by how.',
    labels: ['status'],
  });
  const killed = metrics.counter({
    name: 'cell_containers_killed_total',
    help: 'Containers whose processes did not heed SIGTERM within the grace period.',
  });
  return (result) => {
    completed.inc({ status: result.status });
    if (result.status === 'cancelled' && result.wasKilled) killed.inc();
  };
}

async function removeContainers(garden: Garden, logger: RiveraLogger): Promise<never> {
  const containers = await garden.list();
  await Promise.all(containers.map(({ handle }) => garden.destroy(handle)));
  const sandboxes = (await garden.sandboxes?.list()) ?? [];
  await Promise.all(sandboxes.map(({ name }) => garden.sandboxes!.destroy(name)));
  logger.log('removed-containers', { count: containers.length });
  await garden.close();
  process.exit(0);
}
