import { Readable, Writable } from 'node:stream';
import type { CliContext } from '../../apps/cli/src/cli-context.js';
import { createProgram, runProgram } from '../../apps/cli/src/program.js';
import type { Answer, StandInApi } from './stand-in-api.js';

/** The time it always is for commands that tests run. */
export const NOW = 1_700_000_000_000;

export interface CommandWorld {
  stdin?: string;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  signal?: AbortSignal;
}

class Collector extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}

/** Runs one command line of `rivera` in this process. */
export async function rivera(
  line: string | string[],
  world: CommandWorld = {},
): Promise<{ code: number; out: string; err: string }> {
  const stdout = new Collector();
  const stderr = new Collector();
  const context: CliContext = {
    version: '1.2.3',
    env: world.env ?? {},
    cwd: world.cwd ?? '/',
    stdin: Readable.from([world.stdin ?? '']),
    stdout,
    stderr,
    now: () => NOW,
    newGuid: () => 'new-guid',
    signal: world.signal ?? new AbortController().signal,
  };
  const words = typeof line === 'string' ? line.split(' ') : line;
  const code = await runProgram(createProgram(context), words, context);
  return { code, out: stdout.text, err: stderr.text };
}

/** Answers by `METHOD /path`, whatever the query; several answers to one route are given one after the other. */
export function serveRoutes(api: StandInApi, routes: Record<string, Answer | Answer[]>): void {
  const left = new Map(Object.entries(routes).map(([route, answers]) => [route, [answers].flat()]));
  api.handler = ({ method, url }) => {
    const answers = left.get(`${method} ${url.split('?')[0]}`) ?? [];
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    return answer ?? { status: 404, body: { code: 'not-found', detail: `There is no route ${url}.` } };
  };
}
