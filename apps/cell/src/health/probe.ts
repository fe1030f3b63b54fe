import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { connect } from 'node:net';
import type { Check, HttpCheck, TcpCheck } from '#rivera/models';
import { messageOf } from '../executor/step.js';

/** Diego executor, declarative health check default timeout. */
const CHECK_TIMEOUT_MS = 1_000;

const MAX_REDIRECTS = 10;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** One way to look at an instance. */
export interface Probe {
  /** One attempt: undefined when all is well, otherwise what is wrong. */
  attempt(signal: AbortSignal): Promise<string | undefined>;
  /** Between attempts once it is well; absent: the cell's default. */
  intervalMs?: number;
}

/** Where a port of the instance is reached from here, or why it is not. */
export type PortResolver = (port: number) => Promise<{ host: string; port: number } | string>;

/**
 * Probes of declarative checks. They are made from the agent against the container's own address, so that they neither
 * count towards its limits nor wait for its share of the processor; what listens on 127.0.0.1 only is not healthy. A
 * check of neither kind is left out (Diego executor).
 */
export function checkProbes(checks: Check[], at: PortResolver): Probe[] {
  return checks.flatMap(({ tcpCheck, httpCheck }): Probe[] => {
    if (tcpCheck !== undefined && isPort(tcpCheck.port)) {
      return [{ attempt: (signal) => probeTcp(tcpCheck, at, signal), ...interval(tcpCheck) }];
    }
    if (httpCheck !== undefined && isPort(httpCheck.port)) {
      return [{ attempt: (signal) => probeHttp(httpCheck, at, signal), ...interval(httpCheck) }];
    }
    return [];
  });
}

async function probeTcp(check: TcpCheck, at: PortResolver, signal: AbortSignal): Promise<string | undefined> {
  const timeoutMs = check.connectTimeoutMs || CHECK_TIMEOUT_MS;
  const address = await at(check.port);
  if (typeof address === 'string') return `failed to make TCP connection to port ${check.port}: ${address}`;
  const what = `failed to make TCP connection to ${address.host}:${check.port}`;
  return new Promise((resolve) => {
    const socket = connect(address);
    const stop = (): void => end('the check was interrupted');
    const end = (problem?: string): void => {
      // By hand: the socket's own `signal` option never lets go of the signal.
      signal.removeEventListener('abort', stop);
      socket.destroy();
      resolve(problem);
    };
    signal.addEventListener('abort', stop, { once: true });
    socket.setTimeout(timeoutMs, () => end(`${what}: timed out after ${seconds(timeoutMs)}`));
    socket.once('connect', () => end());
    socket.once('error', (error: NodeJS.ErrnoException) => end(`${what}: ${inWords(error)}`));
  });
}

async function probeHttp(
  check: HttpCheck,
  at: PortResolver,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { port, path = '' } = check;
  const timeoutMs = check.requestTimeoutMs || CHECK_TIMEOUT_MS;
  const uri = path === '' ? '/' : path;
  const address = await at(port);
  const what = `failed to make HTTP request to '${uri}' on port ${port}`;
  if (typeof address === 'string') return `${what}: ${address}`;
  const deadline = AbortSignal.timeout(timeoutMs);
  const startedAt = performance.now();
  try {
    const url = new URL(uri, `http://${address.host}:${address.port}`);
    const status = await statusOf(url, AbortSignal.any([signal, deadline]));
    if (status === 200) return undefined;
    const tookMs = Math.round(performance.now() - startedAt);
    return `${what}: received status code ${status} in ${tookMs}ms`;
  } catch (error) {
    if (deadline.aborted) return `${what}: timed out after ${seconds(timeoutMs)}`;
    return `${what}: ${inWords(error)}`;
  }
}

/** Of the answer, once it is complete, behind redirects. Not by `fetch`, which refuses some ports to everybody. */
async function statusOf(url: URL, signal: AbortSignal, redirectsLeft = MAX_REDIRECTS): Promise<number> {
  const request = (url.protocol === 'https:' ? https : http).get(url, {
    headers: { 'user-agent': 'rivera-healthcheck', 'x-forwarded-proto': 'https' },
    agent: false,
    signal,
  });
  const [response] = (await once(request, 'response', { signal })) as [http.IncomingMessage];
  const { statusCode = 0, headers } = response;
  // Read, as a body that does not end is no health, and kept nowhere.
  for await (const chunk of response) void chunk;
  if (!REDIRECTS.has(statusCode) || headers.location === undefined) return statusCode;
  if (redirectsLeft === 0) throw new Error(`stopped after ${MAX_REDIRECTS} redirects`);
  return statusOf(new URL(headers.location, url), signal, redirectsLeft - 1);
}

function interval({ intervalMs }: { intervalMs?: number }): { intervalMs?: number } {
  return intervalMs ? { intervalMs } : {};
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port <= 65_535;
}

function inWords(error: unknown): string {
  if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') return 'connection refused';
  return messageOf(error);
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} seconds`;
}
