import { setTimeout as sleep } from 'node:timers/promises';
import {
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import type { LoggerService } from '@nestjs/common';
import { RiveraError } from '#rivera/models';
import { Readiness, type RedisClient, type ReplicationConfig, RiveraLogger } from '#rivera/platform';
import { Backup } from './backup.js';
import { CellRepository } from './cell-repository.js';
import { DeploymentRepository } from './deployment-repository.js';
import { EventLog } from './event-log.js';
import { ProcessRepository } from './process-repository.js';
import { connectRedis } from './redis.js';
import { Store } from './store.js';
import { TaskRepository } from './task-repository.js';
import { WakeUps } from './wake-ups.js';

const STORE_REDIS = Symbol('store-redis');
const STORE_SUBSCRIBER = Symbol('store-subscriber');
/** Between two looks whether the store is there. */
const OPEN_AGAIN_MS = 500;

export interface StoreModuleOptions {
  url: string;
  logger: LoggerService;
  /** Events kept per shard to resume from. */
  keptEvents?: number;
  /** Replicas that have to know of a commit before it is acknowledged. */
  replication?: ReplicationConfig;
}

/**
 * The store and its repositories, over two connections that live as long as the app. An app starts without its store, is
 * not ready, and opens it when it is there.
 */
@Module({})
export class StoreModule implements OnModuleInit, OnApplicationShutdown {
  /** Why it is not open. */
  private missing?: RiveraError;
  private readonly end = new AbortController();

  constructor(
    @Inject(STORE_REDIS) private readonly redis: RedisClient,
    @Inject(STORE_SUBSCRIBER) private readonly subscriber: RedisClient,
    private readonly store: Store,
    private readonly readiness: Readiness,
    private readonly logger: RiveraLogger,
  ) {}

  static forRoot({ url, logger, ...options }: StoreModuleOptions): DynamicModule {
    const onError = (error: Error) => logger.warn('store-connection-failed', { reason: error.message });
    const connect = () => connectRedis(url).on('error', onError);
    return {
      module: StoreModule,
      global: true,
      providers: [
        { provide: STORE_REDIS, useFactory: connect },
        { provide: STORE_SUBSCRIBER, useFactory: connect },
        {
          provide: Store,
          useFactory: (redis: RedisClient) => new Store({ redis, ...options }),
          inject: [STORE_REDIS],
        },
        {
          provide: ProcessRepository,
          useFactory: (store: Store) => new ProcessRepository(store),
          inject: [Store],
        },
        { provide: TaskRepository, useFactory: (store: Store) => new TaskRepository(store), inject: [Store] },
        { provide: CellRepository, useFactory: (store: Store) => new CellRepository(store), inject: [Store] },
        {
          provide: Backup,
          useFactory: (store: Store, cells: CellRepository) => new Backup(store, cells),
          inject: [Store, CellRepository],
        },
        {
          provide: WakeUps,
          useFactory: (subscriber: RedisClient) => new WakeUps(subscriber),
          inject: [STORE_SUBSCRIBER],
        },
        {
          provide: DeploymentRepository,
          useFactory: (store: Store) => new DeploymentRepository(store),
          inject: [Store],
        },
        {
          provide: EventLog,
          useFactory: (redis: RedisClient, wakeUps: WakeUps) => new EventLog(redis, wakeUps),
          inject: [STORE_REDIS, WakeUps],
        },
      ],
      exports: [
        Store,
        Backup,
        ProcessRepository,
        TaskRepository,
        CellRepository,
        DeploymentRepository,
        WakeUps,
        EventLog,
      ],
    };
  }

  async onModuleInit(): Promise<void> {
    this.readiness.register('store', async () => {
      if (this.missing !== undefined) throw this.missing;
      await this.redis.ping();
    });
    if (await this.isOpened()) return;
    this.logger.warn('waiting-for-store', { reason: this.missing?.message });
    // A store that turns out to be another version's ends the process, as it would have at the start.
    void this.openOnceThere();
  }

  async onApplicationShutdown(): Promise<void> {
    this.end.abort();
    await this.store.versions.leave();
    this.redis.disconnect();
    this.subscriber.disconnect();
  }

  private async openOnceThere(): Promise<void> {
    const { signal } = this.end;
    do await sleep(OPEN_AGAIN_MS, undefined, { signal }).catch(() => undefined);
    while (!signal.aborted && !(await this.isOpened()));
    if (!signal.aborted) this.logger.log('store-opened');
  }

  private async isOpened(): Promise<boolean> {
    try {
      await this.store.open();
      this.missing = undefined;
      this.store.versions.keepAnnounced((error) => this.logger.error('store-schema-refused', { error }));
      return true;
    } catch (error) {
      if (!(error instanceof RiveraError) || error.code !== 'unavailable') throw error;
      this.missing = error;
      return false;
    }
  }
}
