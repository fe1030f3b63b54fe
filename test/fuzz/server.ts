import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Program } from '../support/program.js';
import { type RedisHarness, startRedis } from '../support/redis.js';
import { stablePorts } from '../support/ports.js';

/** Above what a valid request may have, and cheap to exceed. */
const BODY_LIMIT_BYTES = 1024 * 1024;
const KEYS_AT_A_TIME = 500;
/** Which programs run: they say it again every few seconds. */
const PROGRAMS = 'rivera:{deployment}:programs';

/** A real `bbs` over a Redis of its own, seen from outside. */
export class FuzzedServer {
  readonly secret = randomBytes(32).toString('hex');
  port: number;
  private redis: RedisHarness;
  private store: Redis;
  private program: Program;
  private directory: string;

  /** `main`: the compiled main module of `bbs`. */
  async start(main: string): Promise<this> {
    this.directory = await mkdtemp(join(tmpdir(), 'rivera-fuzz-'));
    [this.port = 0] = await stablePorts(1);
    this.redis = await startRedis();
    this.store = new Redis(this.redis.url);
    this.program = new Program({
      name: 'bbs',
      main,
      env: {
        PATH: process.env.PATH ?? '',
        REDIS_URL: this.redis.url,
        BBS_LISTEN: `127.0.0.1:${this.port}`,
        JWT_SECRET: this.secret,
        BODY_LIMIT_BYTES: String(BODY_LIMIT_BYTES),
        // Nobody is there to answer what is asked of an auctioneer or a cell.
        AUCTIONEER_ASK_TIMEOUT_MS: '100',
        SESSION_TIMEOUT_MS: '100',
      },
      readyUrl: `http://127.0.0.1:${this.port}/readyz`,
      logFile: join(this.directory, 'bbs.log'),
    });
    await this.program.start();
    return this;
  }

  get isAlive(): boolean {
    return this.program.isRunning;
  }

  /** How it is, with the end of its log. */
  report(): string {
    return `bbs is ${this.program.state}. The end of its log:\n${this.program.logTail(30)}`;
  }

  /** What it logged as an error of its own. */
  async errors(): Promise<string[]> {
    const lines = (await readFile(join(this.directory, 'bbs.log'), 'utf8')).split('\n');
    return lines.filter((line) => /"level":"?(?:error|fatal|50|60)|unhandled/i.test(line));
  }

  /** Resident memory in MB; undefined where the system does not tell. */
  async residentMb(): Promise<number | undefined> {
    const pid = /pid (\d+)/.exec(this.program.state)?.[1] ?? 'self';
    try {
      const [, kb] = /^VmRSS:\s+(\d+) kB/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
      return kb === undefined ? undefined : Number(kb) / 1024;
    } catch {
      return undefined;
    }
  }

  /** Everything the store holds, as a digest of each key; taken when nothing changes any more. */
  async settledDigests(): Promise<Map<string, string>> {
    let last = await this.digests();
    for (;;) {
      const next = await this.digests();
      if (changedKeys(last, next).length === 0) return next;
      last = next;
    }
  }

  /** Mailboxes and the list of programs are not looked at; keys that expire by themselves are left out: they go when they go. */
  async digests(): Promise<Map<string, string>> {
    const digests = new Map<string, string>();
    let cursor = '0';
    do {
      const [next, keys] = await this.store.scan(cursor, 'MATCH', 'rivera:*', 'COUNT', KEYS_AT_A_TIME);
      cursor = next;
      await Promise.all(
        keys.map(async (key) => {
          if (key === PROGRAMS) return;
          const content = await this.content(key);
          if (content !== undefined) digests.set(key, createHash('sha1').update(content).digest('hex'));
        }),
      );
    } while (cursor !== '0');
    return digests;
  }

  /** In an order of its own: that in which Redis keeps the fields of a hash changes while nothing is written. */
  private async content(key: string): Promise<string | undefined> {
    const [expiry, type] = await Promise.all([this.store.pttl(key), this.store.type(key)]);
    if (expiry !== -1) return undefined;
    switch (type) {
      case 'hash':
        return JSON.stringify(
          Object.entries(await this.store.hgetall(key)).toSorted(([a], [b]) => (a < b ? -1 : 1)),
        );
      case 'zset':
        return JSON.stringify(await this.store.zrange(key, '0', '-1', 'WITHSCORES'));
      case 'stream':
        return JSON.stringify(await this.store.xrange(key, '-', '+'));
      case 'string':
        return (await this.store.get(key)) ?? undefined;
      default:
        throw new Error(`The store holds ${key}, a ${type}. Say in server.ts how to read it.`);
    }
  }

  async stop(): Promise<void> {
    await this.program?.kill9();
    this.store?.disconnect();
    await this.redis?.stop();
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Keys that came, went or hold something else. */
export function changedKeys(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): string[] {
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys].filter((key) => before.get(key) !== after.get(key)).toSorted();
}
