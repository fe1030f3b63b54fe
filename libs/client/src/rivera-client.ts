import { RiveraError } from '#rivera/models';
import type {
  ActualLRP,
  ActualLRPState,
  Capacity,
  Cell,
  CellDetail,
  CellReport,
  ContainerStats,
  CellReportResult,
  CellWork,
  Deployment,
  DeploymentRequest,
  DeploymentState,
  DesiredLRP,
  DesiredLRPRequest,
  DesiredLRPUpdate,
  Domain,
  DrainRequest,
  ExecRequest,
  ImportRecordsRequest,
  ImportRequest,
  ImportResult,
  PlacementExplanation,
  PlacementPlan,
  PlanRequest,
  PresenceGrant,
  PresenceRequest,
  RebalanceRequest,
  RebalanceResult,
  Task,
  TaskRequest,
  TaskState,
} from '#rivera/models';
import type { Session } from '#rivera/session';
import { followEvents } from './event-stream.js';
import type { EventFilter, EventItem, EventOptions } from './event-stream.js';
import { HttpTransport } from './http-transport.js';
import type { HttpRequest, QueryValue, TokenSource } from './http-transport.js';
import { readLines } from './line-stream.js';
import { readLogs } from './log-stream.js';
import type { LogOptions, LogQuery, LogStreamItem } from './log-stream.js';
import { receiveTar, sendTar } from './remote-files.js';
import { RemoteProcess } from './remote-process.js';

export interface RiveraClientOptions {
  /** Address of bbs, e.g. `http://localhost:8080`; of several bbs all of them, and calls go on while one is away. */
  api: string | readonly string[];
  token: TokenSource;
  /** For one attempt; 10 s when absent. */
  timeoutMs?: number;
  /** For a call with all its retries; 30 s when absent. */
  deadlineMs?: number;
  /** 6 when absent, 1 = no retries. */
  maxAttempts?: number;
  /** First retry delay, doubling up to `maxDelayMs`; 100 ms when absent. */
  baseDelayMs?: number;
  /** 5 s when absent. */
  maxDelayMs?: number;
  userAgent?: string;
  /** Jitter of the retry delays; `Math.random` when absent. */
  random?: () => number;
}

export interface CallOptions {
  /** Ends the call, which then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** One page of a list; `next` is the `after` of the following one, absent on the last. */
export interface Page<T> {
  items: T[];
  next?: string;
}

export interface PageQuery {
  /** Records per page; the server's choice when absent. */
  limit?: number;
  /** Cursor: `next` of the page before. */
  after?: string;
}

export interface DesiredLRPQuery extends PageQuery {
  domain?: string;
  processGuid?: string | readonly string[];
}

export interface ActualLRPQuery extends PageQuery {
  processGuid?: string | readonly string[];
  domain?: string;
  cellId?: string;
  index?: number;
  state?: ActualLRPState;
}

export interface DeploymentQuery extends PageQuery {
  domain?: string;
  state?: DeploymentState;
}

export interface CapacityQuery {
  memoryMb: number;
  diskMb: number;
  /** Absent: whatever cells have. */
  rootfs?: string;
  placementTag?: string | readonly string[];
  volumeDriver?: string | readonly string[];
}

export interface TaskQuery extends PageQuery {
  domain?: string;
  cellId?: string;
  state?: TaskState;
}

export interface StatsAnswer {
  items: ContainerStats[];
  /** Cells that could not be asked; what they have is missing in `items`. */
  unreachable?: { cellId: string; code: string; message: string }[];
}
/** For answers that take reading all there is. */
const SLOW_ANSWER_MS = 28_000;

/**
 * Typed client of the HTTP API, one method a route.
 *
 * Every method throws `RiveraError`: with the server's code, sentence and fields when it refused, with code
 * `unavailable` when it could not be reached in time. GET, PUT and DELETE and the transitions of a cell are retried on
 * network errors, 429, 502, 503 and 504 (respecting Retry-After); all others only when no connection was made.
 */
export class RiveraClient {
  private readonly http: HttpTransport;

  constructor(options: RiveraClientOptions) {
    this.http = new HttpTransport({
      api: options.api,
      token: options.token,
      timeoutMs: options.timeoutMs ?? 10_000,
      deadlineMs: options.deadlineMs ?? 30_000,
      maxAttempts: options.maxAttempts ?? 6,
      userAgent: options.userAgent ?? 'rivera-client',
      backoff: {
        baseDelayMs: options.baseDelayMs ?? 100,
        maxDelayMs: options.maxDelayMs ?? 5_000,
        random: options.random ?? Math.random,
      },
    });
  }

  /** Have an LRP run. `already-exists` when its process guid is taken. */
  desireLRP(lrp: DesiredLRPRequest, options: CallOptions = {}): Promise<DesiredLRP> {
    return this.call({ method: 'POST', path: '/v1/desired-lrps', body: lrp, ...options });
  }

  listDesiredLRPs(query: DesiredLRPQuery = {}, options: CallOptions = {}): Promise<Page<DesiredLRP>> {
    return this.page('/v1/desired-lrps', query, options);
  }

  /** All pages of `listDesiredLRPs`, record by record. */
  desiredLRPs(query: DesiredLRPQuery = {}, options: CallOptions = {}): AsyncGenerator<DesiredLRP> {
    return this.items('/v1/desired-lrps', query, options);
  }

  getDesiredLRP(processGuid: string, options: CallOptions = {}): Promise<DesiredLRP> {
    return this.get(path`/v1/desired-lrps/${processGuid}`, options);
  }

  /** Scale it, or change its routes, annotation, tags or credentials; absent fields stay as they are. */
  updateDesiredLRP(
    processGuid: string,
    update: DesiredLRPUpdate,
    options: CallOptions = {},
  ): Promise<DesiredLRP> {
    return this.call({
      method: 'PATCH',
      path: path`/v1/desired-lrps/${processGuid}`,
      body: update,
      ...options,
    });
  }

  /** No longer want it: its instances are stopped. */
  removeDesiredLRP(processGuid: string, options: CallOptions = {}): Promise<void> {
    return this.remove(path`/v1/desired-lrps/${processGuid}`, { repeatable: true, ...options });
  }

  /** Have a new definition take the place of an LRP, instance by instance. Said again it is the same deployment. */
  startDeployment(request: DeploymentRequest, options: CallOptions = {}): Promise<Deployment> {
    return this.call({ method: 'POST', path: '/v1/deployments', body: request, ...options });
  }

  /** All deployments, those that ended within the last hour included. */
  deployments(query: DeploymentQuery = {}, options: CallOptions = {}): AsyncGenerator<Deployment> {
    return this.items('/v1/deployments', query, options);
  }

  /** By the process guid that is replaced. */
  getDeployment(processGuid: string, options: CallOptions = {}): Promise<Deployment> {
    return this.get(path`/v1/deployments/${processGuid}`, options);
  }

  /** Have it go no further for now. */
  pauseDeployment(processGuid: string, options: CallOptions = {}): Promise<Deployment> {
    return this.steer(path`/v1/deployments/${processGuid}/pause`, options);
  }

  resumeDeployment(processGuid: string, options: CallOptions = {}): Promise<Deployment> {
    return this.steer(path`/v1/deployments/${processGuid}/resume`, options);
  }

  /** Go back to the LRP that was to be replaced. */
  cancelDeployment(processGuid: string, options: CallOptions = {}): Promise<Deployment> {
    return this.steer(path`/v1/deployments/${processGuid}/cancel`, options);
  }

  listActualLRPs(query: ActualLRPQuery = {}, options: CallOptions = {}): Promise<Page<ActualLRP>> {
    return this.page('/v1/actual-lrps', query, options);
  }

  /** All pages of `listActualLRPs`, record by record. */
  actualLRPs(query: ActualLRPQuery = {}, options: CallOptions = {}): AsyncGenerator<ActualLRP> {
    return this.items('/v1/actual-lrps', query, options);
  }

  /**
   * Have one instance stopped and, if it is still desired, replaced. Not repeated once it was sent: a second retire
   * might hit the replacement.
   */
  retireActualLRP(processGuid: string, index: number, options: CallOptions = {}): Promise<void> {
    return this.remove(path`/v1/actual-lrps/${processGuid}/${index}`, options);
  }

  /** Have a task run, once at most. `already-exists` when its guid is taken. */
  desireTask(task: TaskRequest, options: CallOptions = {}): Promise<Task> {
    return this.call({ method: 'POST', path: '/v1/tasks', body: task, ...options });
  }

  listTasks(query: TaskQuery = {}, options: CallOptions = {}): Promise<Page<Task>> {
    return this.page('/v1/tasks', query, options);
  }

  /** All pages of `listTasks`, record by record. */
  tasks(query: TaskQuery = {}, options: CallOptions = {}): AsyncGenerator<Task> {
    return this.items('/v1/tasks', query, options);
  }

  getTask(taskGuid: string, options: CallOptions = {}): Promise<Task> {
    return this.get(path`/v1/tasks/${taskGuid}`, options);
  }

  /** Takes care of the result, alone. Errors: `invalid-state-transition` when somebody else does. */
  resolveTask(taskGuid: string, options: CallOptions = {}): Promise<Task> {
    return this.call({ method: 'POST', path: path`/v1/tasks/${taskGuid}/resolve`, ...options });
  }

  /** End it as failed, wherever it is. */
  cancelTask(taskGuid: string, options: CallOptions = {}): Promise<Task> {
    return this.call({ method: 'POST', path: path`/v1/tasks/${taskGuid}/cancel`, ...options });
  }

  /** Forget a COMPLETED task. */
  deleteTask(taskGuid: string, options: CallOptions = {}): Promise<void> {
    return this.remove(path`/v1/tasks/${taskGuid}`, { repeatable: true, ...options });
  }

  /** All cells that are known, missing ones included. */
  cells(options: CallOptions = {}): AsyncGenerator<Cell> {
    return this.items('/v1/cells', {}, options);
  }

  /** A cell with what it holds, counted. */
  getCell(cellId: string, options: CallOptions = {}): Promise<CellDetail> {
    return this.get(path`/v1/cells/${cellId}`, options);
  }

  /** Have it take no new work. */
  cordonCell(cellId: string, options: CallOptions = {}): Promise<Cell> {
    return this.operate('PUT', path`/v1/cells/${cellId}/cordon`, options);
  }

  /** Have it take work again; a drain is cancelled. */
  uncordonCell(cellId: string, options: CallOptions = {}): Promise<Cell> {
    return this.operate('DELETE', path`/v1/cells/${cellId}/cordon`, options);
  }

  /** Have its work moved elsewhere; what is left after `timeoutMs` is stopped. Follow it with `getCell`. */
  drainCell(cellId: string, request: DrainRequest = {}, options: CallOptions = {}): Promise<Cell> {
    return this.operate('PUT', path`/v1/cells/${cellId}/drain`, { body: request, ...options });
  }

  /** End a drain where it is; the cell stays cordoned. */
  cancelDrain(cellId: string, options: CallOptions = {}): Promise<Cell> {
    return this.operate('DELETE', path`/v1/cells/${cellId}/drain`, options);
  }

  /** Say that a missing cell is lost indeed: its work is replaced although too many cells went at once. */
  releaseReplacement(cellId: string, options: CallOptions = {}): Promise<Cell> {
    return this.operate('DELETE', path`/v1/cells/${cellId}/replacement-hold`, options);
  }

  /** Where would this go if it were posted now? Nothing is written. `unavailable` when no auctioneer is active. */
  plan(request: PlanRequest, options: CallOptions = {}): Promise<PlacementPlan> {
    return this.call({ method: 'POST', path: '/v1/plan', body: request, repeatable: true, ...options });
  }

  /** Why is this instance where it is, or nowhere? `unavailable` when no auctioneer is active. */
  explainPlacement(
    processGuid: string,
    index: number,
    options: CallOptions = {},
  ): Promise<PlacementExplanation> {
    return this.get(path`/v1/actual-lrps/${processGuid}/${index}/placement`, options);
  }

  /** How many more instances of this size fit? `unavailable` when no auctioneer is active. */
  getCapacity(query: CapacityQuery, options: CallOptions = {}): Promise<Capacity> {
    const parameters = { ...query } as Record<string, QueryValue>;
    return this.call({
      method: 'GET',
      path: '/v1/capacity',
      query: parameters,
      repeatable: true,
      ...options,
    });
  }

  /**
   * Have instances moved to better cells, replacement first, or with `dryRun` hear which. `unavailable` when no auctioneer
   * answers; then some may be moving.
   */
  rebalance(request: RebalanceRequest = {}, options: CallOptions = {}): Promise<RebalanceResult> {
    return this.call({
      method: 'POST',
      path: '/v1/rebalance',
      body: request,
      timeoutMs: SLOW_ANSWER_MS,
      ...options,
    });
  }

  domains(options: CallOptions = {}): AsyncGenerator<Domain> {
    return this.items('/v1/domains', {}, options);
  }

  /** Promise that the desired list of this domain is complete for `ttlSeconds`; 0 = for ever. */
  upsertDomain(domain: string, ttlSeconds: number, options: CallOptions = {}): Promise<Domain> {
    return this.call({
      method: 'PUT',
      path: path`/v1/domains/${domain}`,
      body: { ttlSeconds },
      repeatable: true,
      ...options,
    });
  }

  /** Follow what happens, see `followEvents`. Nothing is sent before the iteration starts. */
  events(filter: EventFilter = {}, options: EventOptions = {}): AsyncGenerator<EventItem, void, undefined> {
    return followEvents(this.http, filter, options);
  }

  /** What the instances of an LRP say, see `readLogs`. */
  logs(
    processGuid: string,
    query: LogQuery & { index?: number } = {},
    options: LogOptions = {},
  ): AsyncGenerator<LogStreamItem, void, undefined> {
    return readLogs(this.http, path`/v1/lrps/${processGuid}/logs`, query, options);
  }

  /** What a task says, see `readLogs`. */
  taskLogs(
    taskGuid: string,
    query: LogQuery = {},
    options: LogOptions = {},
  ): AsyncGenerator<LogStreamItem, void, undefined> {
    return readLogs(this.http, path`/v1/tasks/${taskGuid}/logs`, query, options);
  }

  /** What the instances of an LRP use. */
  lrpStats(
    processGuid: string,
    query: { index?: number } = {},
    options: CallOptions = {},
  ): Promise<StatsAnswer> {
    return this.call({
      method: 'GET',
      path: path`/v1/lrps/${processGuid}/stats`,
      query: { index: query.index },
      repeatable: true,
      ...options,
    });
  }

  /** What the containers of a cell use. */
  cellStats(cellId: string, options: CallOptions = {}): Promise<StatsAnswer> {
    return this.get(path`/v1/cells/${cellId}/stats`, options);
  }

  /**
   * Run a further process in the container of an instance. Rejects with `cell-unreachable`, `not-found`,
   * `invalid-state-transition` (no cell has the instance now), or why the process could not be started.
   */
  async exec(
    processGuid: string,
    index: number,
    request: ExecRequest,
    options: CallOptions = {},
  ): Promise<RemoteProcess> {
    const session = await this.http.connect({
      path: path`/v1/actual-lrps/${processGuid}/${index}/exec`,
      ...options,
    });
    await session.send({ type: 'start', request });
    return RemoteProcess.opened(session);
  }

  /** Unpack a tar stream below a directory of an instance; the files belong to `user`, else to that of the instance. */
  async streamIn(
    processGuid: string,
    index: number,
    { path: to, user, tar }: { path: string; user?: string; tar: AsyncIterable<Uint8Array> },
    options: CallOptions = {},
  ): Promise<void> {
    const where = path`/v1/actual-lrps/${processGuid}/${index}/stream-in`;
    await sendTar(await this.http.connect({ path: where, query: { path: to, user }, ...options }), tar);
  }

  /** A tar stream of a file or directory of an instance. */
  async streamOut(
    processGuid: string,
    index: number,
    from: string,
    options: CallOptions = {},
  ): Promise<AsyncGenerator<Buffer, void, undefined>> {
    const where = path`/v1/actual-lrps/${processGuid}/${index}/stream-out`;
    return receiveTar(await this.http.connect({ path: where, query: { path: from }, ...options }));
  }

  /** For a cell's agent: be there for a bbs that wants to talk, at the address where it wants it. */
  async joinSession(
    cellId: string,
    { url, sessionId }: { url: string; sessionId: string },
    options: CallOptions = {},
  ): Promise<Session> {
    const where = path`/v1/cells/${cellId}/sessions/${sessionId}`;
    return this.http.connect({ api: url, path: where, ...options });
  }

  /** Say that a cell is there, and what it offers. `stale-epoch` when a later start of the agent was seen. */
  renewCellPresence(
    cellId: string,
    request: PresenceRequest,
    options: CallOptions = {},
  ): Promise<PresenceGrant> {
    return this.call({
      method: 'PUT',
      path: path`/v1/cells/${cellId}/presence`,
      body: request,
      repeatable: true,
      ...options,
    });
  }

  /** Say that a cell has gone for good, so that nobody waits for its presence to run out. */
  endCellPresence(cellId: string, epoch: number, options: CallOptions = {}): Promise<void> {
    return this.remove(path`/v1/cells/${cellId}/presence`, {
      query: { epoch },
      repeatable: true,
      ...options,
    });
  }

  /** Report what happened on a cell; the answers are in the order of the reports. */
  async reportTransitions(
    cellId: string,
    { epoch, reports }: { epoch: number; reports: readonly CellReport[] },
    options: CallOptions = {},
  ): Promise<CellReportResult[]> {
    const { results } = await this.call<{ results: CellReportResult[] }>({
      method: 'POST',
      path: path`/v1/cells/${cellId}/transitions`,
      body: { epoch, reports },
      repeatable: true,
      ...options,
    });
    return results;
  }

  /** What the store wants of a cell now. */
  getCellWork(cellId: string, options: CallOptions = {}): Promise<CellWork> {
    return this.get(path`/v1/cells/${cellId}/work`, options);
  }

  /**
   * The same unless it is what the tag of an earlier answer stands for: then there is no `work`. The tag of the answer is
   * for the next time.
   */
  async getCellWorkUnless(
    cellId: string,
    tag: string | undefined,
    options: CallOptions = {},
  ): Promise<{ tag?: string; work?: CellWork }> {
    const request = {
      method: 'GET',
      path: path`/v1/cells/${cellId}/work`,
      repeatable: true,
      ...options,
    } as const;
    const { tag: answered, body } = await this.http.readUnless(request, tag);
    return { tag: answered, work: body as CellWork | undefined };
  }

  /** The lines of an export as they arrive. Errors: `unavailable` when it breaks off. */
  exportStore(options: CallOptions = {}): AsyncGenerator<string> {
    return readLines(this.http, { method: 'GET', path: '/v1/admin/export', ...options });
  }

  /** Say what is to be imported. `precondition-failed` when there are records already, unless it is a merge. */
  beginImport(request: ImportRequest, options: CallOptions = {}): Promise<{ found: number }> {
    return this.call({ method: 'POST', path: '/v1/admin/imports', body: request, ...options });
  }

  /** Put records of an export in their places. Said again they are there already. */
  importRecords(request: ImportRecordsRequest, options: CallOptions = {}): Promise<ImportResult> {
    return this.call({
      method: 'POST',
      path: '/v1/admin/imports/records',
      body: request,
      repeatable: true,
      timeoutMs: SLOW_ANSWER_MS,
      ...options,
    });
  }

  /** Resolves when the server is alive. */
  checkHealth(options: CallOptions = {}): Promise<void> {
    return this.call({ method: 'GET', path: '/healthz', anonymous: true, ignoreBody: true, ...options });
  }

  /** Resolves when the server can do its work (its store answers). Not retried once the server answered. */
  checkReadiness(options: CallOptions = {}): Promise<void> {
    return this.call({ method: 'GET', path: '/readyz', anonymous: true, ignoreBody: true, ...options });
  }

  private get<T>(where: string, options: CallOptions): Promise<T> {
    return this.call({ method: 'GET', path: where, repeatable: true, ...options });
  }

  private remove(where: string, options: Partial<HttpRequest>): Promise<void> {
    return this.call({ ...options, method: 'DELETE', path: where, ignoreBody: true });
  }

  private steer(where: string, options: CallOptions): Promise<Deployment> {
    return this.call({ method: 'POST', path: where, repeatable: true, ...options });
  }

  private operate(method: 'PUT' | 'DELETE', where: string, options: Partial<HttpRequest>): Promise<Cell> {
    return this.call({ ...options, method, path: where, repeatable: true });
  }

  private page<T>(where: string, query: object, options: CallOptions): Promise<Page<T>> {
    const parameters = { ...query } as Record<string, QueryValue>;
    return this.call({ method: 'GET', path: where, query: parameters, repeatable: true, ...options });
  }

  private async *items<T>(where: string, query: PageQuery, options: CallOptions): AsyncGenerator<T> {
    let after = query.after;
    do {
      const page: Page<T> = await this.page(where, { ...query, after }, options);
      yield* page.items;
      after = page.next;
    } while (after !== undefined);
  }

  private async call<T>(request: HttpRequest): Promise<T> {
    return (await this.http.request(request)) as T;
  }
}

/** Encodes each part of a path. A part that a URL would swallow would reach another route, so it is refused. */
function path(texts: TemplateStringsArray, ...parts: (string | number)[]): string {
  const encoded = parts.map((part) => {
    if (['', '.', '..'].includes(String(part))) {
      throw new RiveraError(
        'invalid-request',
        `${JSON.stringify(part)} is not a name. Give the guid of a record.`,
      );
    }
    return encodeURIComponent(part);
  });
  return String.raw({ raw: texts }, ...encoded);
}
