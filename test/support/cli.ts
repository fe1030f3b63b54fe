import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { PROJECT } from './build.js';
import type { Cluster } from './cluster.js';

const MAIN = join(PROJECT, 'dist/apps/cli/src/main.js');

export interface CliResult {
  /** Exit status; -1 when it was ended by a signal. */
  status: number;
  out: Buffer;
  err: string;
}

export interface RunningCli {
  readonly child: ChildProcessWithoutNullStreams;
  /** What it has printed. */
  readonly out: string;
  readonly err: string;
  readonly result: Promise<CliResult>;
}

/** The command `rivera` as a user of this cluster runs it. */
export function startCli(cluster: Cluster, ...words: string[]): RunningCli {
  return follow(spawn(process.execPath, [MAIN, ...words], { env: environment(cluster) }));
}

/** The same on a terminal of its own, of 100 columns and 40 rows; `before` is a line of shell to run there first. */
export function startCliOnTerminal(cluster: Cluster, words: string[], before = 'true'): RunningCli {
  const quoted = [process.execPath, MAIN, ...words].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  const line = `stty cols 100 rows 40\n${before}\n${quoted.join(' ')}`;
  const env = { ...environment(cluster), TERM: 'vt100', SHELL: '/bin/sh' };
  return follow(spawn('script', ['-qec', line, '/dev/null'], { env }));
}

export async function runCli(cluster: Cluster, words: string[], input?: Buffer | string): Promise<CliResult> {
  const cli = startCli(cluster, ...words);
  cli.child.stdin.on('error', () => undefined);
  cli.child.stdin.end(input);
  return cli.result;
}

function environment(cluster: Cluster): Record<string, string> {
  return { PATH: process.env.PATH ?? '', RIVERA_API: cluster.api, RIVERA_TOKEN: cluster.clientToken };
}

function follow(child: ChildProcessWithoutNullStreams): RunningCli {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString();
  return {
    child,
    get out() {
      return text(out);
    },
    get err() {
      return text(err);
    },
    result: once(child, 'close').then(([status]) => ({
      status: (status as number | null) ?? -1,
      out: Buffer.concat(out),
      err: text(err),
    })),
  };
}
