import { type Answer, Connection } from './exchange.js';
import { Random } from './random.js';
import type { ApiDocument, Route } from './document.js';
import { RequestMaker } from './requests.js';
import { changedKeys, type FuzzedServer } from './server.js';
import { Tokens } from './tokens.js';
import { complaintAbout } from './verdict.js';
import type { FuzzRequest } from './wire.js';

const ROUND = 500;
const CONNECTIONS = 16;
/** One round in so many changes nothing, and is held against the store. */
const HOPELESS_EVERY = 4;
/** Memory is compared from here on: until then code is compiled and buffers find their size. */
const WARM_UP = 10_000;
/** Rounds of which the lowest memory counts: above it is what has not been collected yet. */
const MEMORY_WINDOW = 10;
const MOST_GROWTH_MB = 64;
const MOST_FAILURES = 20;

export interface FuzzOptions {
  server: FuzzedServer;
  requests: number;
  seed: number;
  onRound?: (done: number) => void;
}

export interface FuzzReport {
  seed: number;
  requests: number;
  perSecond: number;
  /** By route, then by status. */
  counts: Map<string, Map<string, number>>;
  memoryMb: { warm?: number; end?: number };
  hopelessRounds: number;
  /** What went wrong, each with the bytes of the request; empty: all is well. */
  failures: string[];
}

/** Sends that many requests and looks at each answer. Failures are told, not thrown. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const run = new FuzzRun(options, await documentOf(options.server));
  return run.all();
}

async function documentOf({ port }: FuzzedServer): Promise<ApiDocument> {
  const answer = await fetch(`http://127.0.0.1:${port}/openapi.json`);
  return (await answer.json()) as ApiDocument;
}

function routesOf({ paths }: ApiDocument): Route[] {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
      operation,
    })),
  );
}

class FuzzRun {
  private readonly maker: RequestMaker;
  private readonly connections: Connection[];
  private readonly counts: FuzzReport['counts'] = new Map();
  private readonly failures: string[] = [];
  private readonly kinds = new Set<string>();
  private readonly memory: number[] = [];
  private warmMb: number | undefined;
  private hopelessRounds = 0;

  constructor(
    private readonly options: FuzzOptions,
    document: ApiDocument,
  ) {
    const { server, seed } = options;
    const tokens = new Tokens(server.secret);
    this.maker = new RequestMaker({ document, routes: routesOf(document), tokens, random: new Random(seed) });
    this.connections = Array.from({ length: CONNECTIONS }, () => new Connection(server.port));
  }

  async all(): Promise<FuzzReport> {
    const { requests, seed, onRound } = this.options;
    let busyMs = 0;
    let done = 0;
    for (let round = 1; done < requests && this.isWorthGoingOn; round += 1) {
      const isHopeless = round % HOPELESS_EVERY === 0;
      // Made beforehand: what is sent depends on the seed alone, not on who is answered first.
      const batch = Array.from({ length: Math.min(ROUND, requests - done) }, () =>
        this.maker.make(isHopeless),
      );
      const before = isHopeless ? await this.options.server.settledDigests() : undefined;
      const began = performance.now();
      await this.send(batch, isHopeless);
      busyMs += performance.now() - began;
      done += batch.length;
      if (before !== undefined) await this.compareStore(before, round);
      await this.lookAtMemory(done);
      onRound?.(done);
    }
    this.connections.forEach((connection) => connection.close());
    await this.lookAtServer();
    return {
      seed,
      requests: done,
      perSecond: Math.round((done / busyMs) * 1000),
      counts: this.counts,
      memoryMb: { warm: this.warmMb, end: this.lowestMb },
      hopelessRounds: this.hopelessRounds,
      failures: this.failures,
    };
  }

  private get isWorthGoingOn(): boolean {
    return this.options.server.isAlive && this.failures.length < MOST_FAILURES;
  }

  private async send(batch: FuzzRequest[], isHopeless: boolean): Promise<void> {
    let next = 0;
    const work = async (connection: Connection): Promise<void> => {
      for (let request = batch[next++]; request !== undefined; request = batch[next++]) {
        await this.sendOne(connection, request, isHopeless);
      }
    };
    await Promise.all(this.connections.map(work));
  }

  private async sendOne(connection: Connection, request: FuzzRequest, isHopeless: boolean): Promise<void> {
    try {
      const answers = await connection.exchange(request);
      if (answers.length === 0) this.count(request.routes[0] ?? '', 'no answer');
      answers.forEach((answer, index) => this.judge(request, { answer, index, isHopeless }));
    } catch (error) {
      connection.close();
      this.fail(request, error instanceof Error ? error.message : String(error));
    }
  }

  private judge(
    request: FuzzRequest,
    { answer, index, isHopeless }: { answer: Answer; index: number; isHopeless: boolean },
  ): void {
    const method = request.methods[index] ?? 'GET';
    this.count(request.routes[index] ?? '', String(answer.status));
    const complaint = complaintAbout(answer, method, request.routes[index] ?? '');
    if (complaint !== undefined) this.fail(request, complaint);
    const isAccepted = answer.status < 400;
    if (isAccepted && request.mustBeRefused[index])
      this.fail(request, `a garbage token was let in (${answer.status})`);
    else if (isAccepted && isHopeless && method !== 'GET' && request.kind !== 'odd') {
      this.fail(request, `what cannot be right was accepted (${answer.status})`);
    }
  }

  private async compareStore(before: ReadonlyMap<string, string>, round: number): Promise<void> {
    this.hopelessRounds += 1;
    const changed = changedKeys(before, await this.options.server.digests());
    if (changed.length > 0)
      this.failures.push(`Round ${round}: every call was refused, but these changed: ${changed.join(', ')}`);
  }

  private async lookAtMemory(done: number): Promise<void> {
    const mb = await this.options.server.residentMb();
    if (mb === undefined || done < WARM_UP) return;
    this.memory.push(mb);
    if (this.memory.length === MEMORY_WINDOW) this.warmMb = this.lowestMb;
  }

  private get lowestMb(): number | undefined {
    return this.memory.length === 0 ? undefined : Math.min(...this.memory.slice(-MEMORY_WINDOW));
  }

  private async lookAtServer(): Promise<void> {
    const { server } = this.options;
    if (!server.isAlive) this.failures.push(server.report());
    for (const line of (await server.errors()).slice(0, 5))
      this.failures.push(`The log says: ${line.slice(0, 1_000)}`);
    const [warm, end] = [this.warmMb, this.lowestMb];
    if (warm !== undefined && end !== undefined && end - warm > MOST_GROWTH_MB) {
      this.failures.push(`Memory grew from ${warm.toFixed()} MB to ${end.toFixed()} MB.`);
    }
  }

  private count(route: string, status: string): void {
    const ofRoute = this.counts.get(route) ?? new Map<string, number>();
    this.counts.set(route, ofRoute.set(status, (ofRoute.get(status) ?? 0) + 1));
  }

  private fail({ bytes, routes }: FuzzRequest, complaint: string): void {
    // The same complaint again says nothing new.
    const kind = complaint.slice(0, 60);
    if (this.kinds.has(kind)) return;
    this.kinds.add(kind);
    const shown = JSON.stringify(bytes.toString('latin1', 0, 1_500));
    this.failures.push(`${routes.join(', ')}: ${complaint}\n  sent (${bytes.length} bytes): ${shown}`);
  }
}
