import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Scope } from '#rivera/platform';
import type { CliContext } from '../cli-context.js';
import { UsageError } from '../errors.js';
import { print } from '../output.js';
import { collect, parseSeconds } from '../parse.js';

interface TokenOptions {
  secretFile?: string;
  scope?: string[];
  cell?: string;
  domain?: string[];
  /** In seconds. */
  ttl: number;
  subject?: string;
}

const DAY_S = 86_400;

/** `rivera token` */
export function registerToken(program: Command, context: CliContext): void {
  program
    .command('token')
    .description('make a token with the secret of a deployment, and print it')
    .option('--secret-file <path>', 'the secret (default: the nearest .rivera/secret)')
    .option('--scope <scope>', 'what it allows, e.g. lrps:read; may be repeated', collect)
    .option('--cell <cellId>', 'for the agent of this cell (scope "cell")')
    .option('--domain <domain>', 'limit it to this domain; may be repeated', collect)
    .option('--ttl <time>', 'how long it is valid: 90s, 15m, 24h, 7d', parseSeconds, DAY_S)
    .option('--subject <name>', 'whose it is, as the audit log will say')
    .action(async (options: TokenOptions) => {
      const file = findSecret(options.secretFile, context.cwd);
      // Loaded here, because no other command needs it.
      const { isScope, mintToken, SCOPES, secretKey } = await import('#rivera/platform');
      const { cell: cellId, domain: domains, ttl: ttlSeconds } = options;
      const names = [...(options.scope ?? []), ...(cellId === undefined ? [] : ['cell'])];
      const scopes = [...new Set(names)].filter((name): name is Scope => {
        if (isScope(name)) return true;
        throw new UsageError(`There is no scope "${name}". Those there are: ${SCOPES.join(', ')}.`);
      });
      if (scopes.length === 0)
        throw new UsageError('A token without a scope opens nothing. Give --scope or --cell.');
      const subject = options.subject || cellId || context.env['USER'] || 'cli';
      const key = secretKey(readSecret(file));
      const token = mintToken({ subject, scopes, cellId, domains, ttlSeconds, key, now: context.now() });
      await print(context.stdout, `${token}\n`);
    });
}

function findSecret(given: string | undefined, cwd: string): string {
  if (given !== undefined) return resolve(cwd, given);
  for (let folder = cwd; ; folder = dirname(folder)) {
    const file = join(folder, '.rivera', 'secret');
    if (existsSync(file)) return file;
    if (folder === dirname(folder)) {
      throw new UsageError(
        'There is no .rivera/secret here or above. Start `rivera up` first, or give --secret-file.',
      );
    }
  }
}

function readSecret(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new UsageError(
      `The secret cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
}
