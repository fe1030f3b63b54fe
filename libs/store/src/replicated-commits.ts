import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster, Command } from 'ioredis';
import { RiveraError } from '#rivera/models';
import type { RedisClient, ReplicationConfig } from '#rivera/platform';
import { shardKey } from './shards.js';

/** `{1, number of the last event}` or `{0, 'conflict' | 'fenced', detail}`, see the commit script. */
export type CommitReply = [number, number | string, string?];

interface Waiting {
  shard: number;
  keys: string[];
  args: string[];
  attempt: number;
  resolve: (reply: CommitReply) => void;
  reject: (error: unknown) => void;
}

/** What a node of a Redis Cluster did not do, because it is not the one, or not now; or what the client did not send. */
const NOT_DONE = /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN) |should belong to the same slots/;
const MAX_ATTEMPTS = 10;
const RETRY_MS = 100;

/**
 * Commits that are acknowledged when as many replicas as wanted have them (`WAIT`). It has to follow the commit on the very
 * connection: on any other, one made after a failover included, it would say yes without knowing of the commit. So both are
 * one pipeline. While one is under way to a node, the next commits for it gather and share the following: a connection that
 * waits for replicas does nothing else.
 */
export class ReplicatedCommits {
  private readonly gathering = new Map<string, Waiting[]>();

  constructor(
    private readonly redis: RedisClient,
    private readonly wanted: ReplicationConfig,
  ) {}

  /** Errors: `unavailable` when it is written, but not known to be on enough replicas; whatever Redis says. */
  commit(shard: number, keys: string[], args: string[]): Promise<CommitReply> {
    return new Promise((resolve, reject) => {
      this.enqueue({ shard, keys, args, attempt: 1, resolve, reject });
    });
  }

  private enqueue(commit: Waiting): void {
    const group = this.nodesOf(commit.shard);
    const gathered = this.gathering.get(group);
    if (gathered !== undefined) {
      gathered.push(commit);
      return;
    }
    this.gathering.set(group, [commit]);
    setImmediate(() => void this.sendAll(group));
  }

  /** Shards of one answer are on the same nodes, and their commits may share a pipeline. */
  private nodesOf(shard: number): string {
    if (!(this.redis instanceof Cluster)) return 'all';
    const slot = new Command('HGET', [shardKey(shard, 'meta')]).getSlot()!;
    return this.redis.slots[slot]?.join() ?? 'unknown';
  }

  private async sendAll(group: string): Promise<void> {
    for (let batch = this.gathering.get(group)!; batch.length > 0; batch = this.gathering.get(group)!) {
      this.gathering.set(group, []);
      await this.send(batch);
    }
    this.gathering.delete(group);
  }

  /** Never rejects. */
  private async send(batch: Waiting[]): Promise<void> {
    const { replicas, timeoutMs } = this.wanted;
    const pipeline = this.redis.pipeline();
    for (const { keys, args } of batch) pipeline.riveraCommit(keys.length, keys, args);
    const refused = (error: Error) => batch.map((): [Error, unknown] => [error, undefined]);
    const answers = (await pipeline.wait(replicas, timeoutMs).exec().catch(refused)) ?? [];
    const [waitError, reached] = answers.at(-1) ?? [];
    const known = waitError ? 0 : Number(reached);
    for (const [i, commit] of batch.entries()) {
      const [error, reply] = answers[i] as [Error | null, CommitReply];
      if (error !== null && NOT_DONE.test(error.message) && commit.attempt < MAX_ATTEMPTS) {
        void this.again(commit);
      } else if (error !== null) {
        commit.reject(error);
      } else if (reply[0] === 1 && known < replicas) {
        commit.reject(tooFew(known, replicas));
      } else {
        commit.resolve(reply);
      }
    }
  }

  private async again(commit: Waiting): Promise<void> {
    if (this.redis instanceof Cluster) this.redis.refreshSlotsCache();
    await sleep(RETRY_MS);
    this.enqueue({ ...commit, attempt: commit.attempt + 1 });
  }
}

function tooFew(known: number, wanted: number): RiveraError {
  return new RiveraError(
    'unavailable',
    `This was written, but only ${known} of ${wanted} replicas confirmed it in time, so a failover may lose it. ` +
      `Read the record, or repeat the call.`,
  );
}
