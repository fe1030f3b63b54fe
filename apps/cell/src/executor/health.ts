import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Check, HttpCheck, TcpCheck } from '#rivera/models';
import { messageOf } from './run-step.js';
import { CANCELLED, failed, type Step } from './step.js';

/** Diego executor: seconds between attempts before an instance is healthy, and after. */
const UNHEALTHY_INTERVAL_MS = 2_000;
const HEALTHY_INTERVAL_MS = 30_000;
/** The first attempts come quickly, so that a fast program is RUNNING at once. */
const FIRST_INTERVAL_MS = 50;
const CHECK_TIMEOUT_MS = 1_000;

/** One attempt: undefined when healthy, otherwise what is wrong. */
export type Probe = (signal: AbortSignal) => Promise<string | undefined>;

export interface HealthStepOptions {
  probe: Probe;
  /** 0 = wait for ever. */
  startTimeoutMs: number;
  healthyIntervalMs?: number;
  log: { out(line: string): void; error(line: string): void };
  now?: () => number;
}

/**
 * Watches an instance (Diego executor, health checks): ready when the probe passes first, failed when it does not within
 * the start time-out, or fails later.
 */
export function healthStep({
  probe,
  startTimeoutMs,
  healthyIntervalMs,
  log,
  now = Date.now,
}: HealthStepOptions): Step {
  return {
    async perform(signal, onReady) {
      const startedAt = now();
      log.out('Starting health monitoring of container');
      let interval = FIRST_INTERVAL_MS;
      let problem = await probe(signal);
      while (problem !== undefined) {
        if (signal.aborted) return CANCELLED;
        const elapsed = now() - startedAt;
        if (startTimeoutMs > 0 && elapsed >= startTimeoutMs) {
          log.error(`Failed after ${elapsed}ms: startup health check never passed.`);
          return failed(`Instance never healthy after ${elapsed}ms: ${problem}`);
        }
        if (!(await pause(interval, signal))) return CANCELLED;
        interval = Math.min(interval * 2, UNHEALTHY_INTERVAL_MS);
        problem = await probe(signal);
      }
      log.out('Container became healthy');
      onReady();
      while (await pause(healthyIntervalMs ?? HEALTHY_INTERVAL_MS, signal)) {
        problem = await probe(signal);
        if (problem !== undefined && !signal.aborted) {
          log.error('Container became unhealthy');
          return failed(`Instance became unhealthy: Liveness check unsuccessful: ${problem}`);
        }
      }
      return CANCELLED;
    },
  };
}

/** A probe of declarative checks, made from the agent against the container's address: all must pass. */
export function checksProbe(
  checks: Check[],
  at: (port: number) => { host: string; port: number } | undefined,
): Probe {
  return async (signal) => {
    const problems = await Promise.all(
      checks.map(async ({ tcpCheck, httpCheck }) => {
        if (tcpCheck !== undefined) return probeTcp(tcpCheck, at(tcpCheck.port));
        if (httpCheck !== undefined) return probeHttp(httpCheck, at(httpCheck.port), signal);
        return undefined;
      }),
    );
    const found = problems.filter((problem) => problem !== undefined);
    return found.length === 0 ? undefined : found.join('; ');
  };
}

type Address = { host: string; port: number } | undefined;

function probeTcp(
  { port, connectTimeoutMs = CHECK_TIMEOUT_MS }: TcpCheck,
  address: Address,
): Promise<string | undefined> {
  if (address === undefined) return Promise.resolve(`port ${port} is not mapped`);
  return new Promise((resolve) => {
    const socket = connect(address);
    const end = (problem: string | undefined) => {
      socket.destroy();
      resolve(problem && `failed to make TCP connection to ${address.host}:${port}: ${problem}`);
    };
    socket.setTimeout(connectTimeoutMs, () => end(`timed out after ${connectTimeoutMs}ms`));
    socket.once('connect', () => end(undefined));
    socket.once('error', (error) => end(error.message));
  });
}

async function probeHttp(
  { port, path = '/', requestTimeoutMs = CHECK_TIMEOUT_MS }: HttpCheck,
  address: Address,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (address === undefined) return `port ${port} is not mapped`;
  const what = `failed to make HTTP request to '${path}' on port ${port}`;
  try {
    const response = await fetch(`http://${address.host}:${address.port}${path}`, {
      headers: { 'user-agent': 'rivera-healthcheck', 'x-forwarded-proto': 'https' },
      signal: AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]),
    });
    await response.arrayBuffer();
    return response.status === 200 ? undefined : `${what}: received status code ${response.status}`;
  } catch (error) {
    return `${what}: ${messageOf(error)}`;
  }
}

/** False when the signal aborted meanwhile. */
async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
  return !signal.aborted;
}
