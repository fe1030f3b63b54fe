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

  /** Everything the store holds, as a number; taken when nothing changes any more. */
  async settledDigest(): Promise<string> {
    let last = await this.digest();
    for (;;) {
      const next = await this.digest();
      if (next === last) return next;
      last = next;
    }
  }

  /** Mailboxes are not looked at; keys that expire by themselves are left out: they go when they go. */
  async digest(): Promise<string> {
    const hashes: string[] = [];
    let cursor = '0';
    do {
      const [next, keys] = await this.store.scan(cursor, 'MATCH', 'rivera:*', 'COUNT', KEYS_AT_A_TIME);
      cursor = next;
      const values = await Promise.all(
        keys.map((key) => Promise.all([this.store.pttl(key), this.store.dumpBuffer(key)])),
      );
      values.forEach(([expiry, value], index) => {
        if (expiry !== -1 || value === null) return;
        hashes.push(
          createHash('sha1')
            .update(keys[index] ?? '')
            .update(value)
            .digest('hex'),
        );
      });
    } while (cursor !== '0');
    return createHash('sha1')
      .update([...new Set(hashes)].toSorted().join())
      .digest('hex');
  }

  async stop(): Promise<void> {
    await this.program?.kill9();
    this.store?.disconnect();
    await this.redis?.stop();
    await rm(this.directory, { recursive: true, force: true });
  }
}
