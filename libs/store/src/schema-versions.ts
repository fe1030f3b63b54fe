import { randomUUID } from 'node:crypto';
import { RiveraError } from '#rivera/models';
import type { RedisClient } from '#rivera/platform';
import { orUnavailable } from './redis.js';
import { WORK_SHARDS } from './shards.js';

/** How things stand with the forms of records. */
export interface SchemaStanding {
  /** Every record is of this form, or of a later one. */
  stored: number;
  /** Of the oldest program that runs. */
  lowest: number;
  /** Grows when what is known of shards no longer holds. */
  generation: string;
}

const KEYS = [
  'rivera:{deployment}:layout',
  'rivera:{deployment}:programs',
  'rivera:{deployment}:migration',
] as const;
const TTL_MS = 30_000;
const RENEWAL_MS = 10_000;

/**
 * Which forms of records there are, and which programs know them. The store and all programs that run on it are of the same
 * version or of two neighbouring ones: a program that would make it three is refused.
 */
export class SchemaVersions {
  private readonly program = randomUUID();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly redis: RedisClient,
    readonly version: number,
  ) {}

  /** Errors: `unsupported`. */
  async announce(): Promise<SchemaStanding> {
    const [said, detail, lowest, generation = '0'] = await orUnavailable(() =>
      this.redis.riveraAnnounce(
        ...KEYS,
        String(WORK_SHARDS),
        String(this.version),
        this.program,
        String(TTL_MS),
      ),
    );
    if (said !== 'ok') throw this.refusal(said, detail);
    return { stored: Number(detail), lowest: Number(lowest), generation };
  }

  /** Says every now and then that this program is still there. */
  keepAnnounced(onRefused: (error: RiveraError) => void): void {
    this.timer = setInterval(() => {
      this.announce().catch((error: unknown) => {
        // A store that does not answer is told of by whoever needs it.
        if (error instanceof RiveraError && error.code === 'unsupported') onRefused(error);
      });
    }, RENEWAL_MS);
    this.timer.unref();
  }

  /** It is no longer to be reckoned with. */
  async leave(): Promise<void> {
    clearInterval(this.timer);
    await this.redis.hdel(KEYS[1], this.program).catch(() => undefined);
  }

  /** All records have been brought to the version of this program. False: others have come since. */
  async raise(generation: string): Promise<boolean> {
    const raised = await orUnavailable(() =>
      this.redis.riveraRaise(...KEYS, String(WORK_SHARDS), String(this.version), generation),
    );
    return raised === 1;
  }

  private refusal(said: string, detail: string): RiveraError {
    const mine = this.version;
    if (said === 'layout') {
      const sentence = `This store was laid out as ${detail}, but this version of Rivera needs ${WORK_SHARDS} shards.`;
      return new RiveraError('unsupported', `${sentence} Use the version that made it, or an empty Redis.`);
    }
    const theirs = Number(detail);
    if (said === 'program') {
      return new RiveraError(
        'unsupported',
        `A program that knows schema ${theirs} runs on this store; this one knows ${mine}. Versions next to each other can run ` +
          'together, these cannot: update one version at a time (docs/operations/upgrades.md).',
      );
    }
    const advice =
      theirs > mine
        ? `Start a version of Rivera that knows schema ${theirs - 1} or ${theirs}.`
        : `Update one version at a time: first to one that knows schema ${theirs + 1}, and wait until the store has it.`;
    return new RiveraError(
      'unsupported',
      `This store has schema ${theirs}, but this version of Rivera knows ${mine} and what is next to it. ${advice}`,
    );
  }
}
