import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseEnv } from 'node:util';
import type { Command } from 'commander';
import type { RiveraClient } from '#rivera/client';
import type { CliContext } from './cli-context.js';
import { UsageError } from './errors.js';

export interface ConnectionOptions {
  api?: string;
  token?: string;
}

export interface Connection {
  api: string;
  token: string;
}

/**
 * Where the API is and how to be let in: options win over the environment, the environment over the nearest
 * `.rivera/env` above the working directory. The file's token is only ever given to the file's API.
 */
export function findConnection(options: ConnectionOptions, { env, cwd }: CliContext): Connection {
  const file = readEnvFile(cwd);
  const api = options.api || env['RIVERA_API'] || file['RIVERA_API'];
  if (!api) {
    throw new UsageError(
      'No Rivera API is known here. Start one with `rivera up`, or set RIVERA_API and RIVERA_TOKEN, or give --api and --token.',
    );
  }
  const fileToken = api === file['RIVERA_API'] ? file['RIVERA_TOKEN'] : undefined;
  const token = options.token || env['RIVERA_TOKEN'] || fileToken;
  if (!token) throw new UsageError(`There is no token for ${api}. Set RIVERA_TOKEN, or give --token.`);
  return { api, token };
}

/** A client for the command that is being run. Fewer retries than an agent makes: somebody is waiting. */
export async function connect(command: Command, context: CliContext): Promise<RiveraClient> {
  const { RiveraClient } = await import('#rivera/client');
  const { api, token } = findConnection(command.optsWithGlobals<ConnectionOptions>(), context);
  return new RiveraClient({ api: api.split(','), token, userAgent: 'rivera-cli', maxAttempts: 4 });
}

function readEnvFile(start: string): NodeJS.Dict<string> {
  for (let folder = start; ; folder = dirname(folder)) {
    const file = join(folder, '.rivera', 'env');
    if (existsSync(file)) return parseEnv(readFileSync(file, 'utf8'));
    if (folder === dirname(folder)) return {};
  }
}
