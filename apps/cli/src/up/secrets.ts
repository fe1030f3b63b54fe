import { execFile } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import type { Scope } from '#rivera/platform';

import type { Layout } from './layout.js';
import type { TokenOrder } from './mint-tokens.js';

export const CLIENT_SCOPES: readonly Scope[] = [
  'lrps:read',
  'lrps:write',
  'lrps:exec',
  'tasks:read',
  'tasks:write',
  'cells:read',
  'cells:operate',
  'domains:read',
  'domains:write',
  'events:read',
  'admin:read',
  'admin:write',
];

const YEAR_SECONDS = 365 * 24 * 3600;

/** What is made up once for a state directory. */
export interface Secrets {
  /** Names the cluster among others on the same container engine. */
  clusterId: string;
  /** The key of all tokens; `JWT_SECRET_FILE`. */
  secretFile: string;
  /** A password derived from the secret: the same for the same name. */
  password(name: string): string;
}

export function openSecrets({ state }: Pick<Layout, 'state'>): Secrets {
  const secretFile = join(state, 'secret');
  const secret = readOrMake(secretFile, 32);
  return {
    clusterId: readOrMake(join(state, 'cluster-id'), 4),
    secretFile,
    password: (name) => createHmac('sha256', secret).update(`redis/${name}`).digest('hex'),
  };
}

export interface Tokens {
  client: string;
  /** Cell id → token. */
  cells: Record<string, string>;
}

/**
 * Tokens for the user and for each cell, valid for a year. A process of its own makes them: the launcher, which stays,
 * need not carry the libraries for it.
 */
export async function mintTokens(secretFile: string, cellIds: readonly string[]): Promise<Tokens> {
  const ttlSeconds = YEAR_SECONDS;
  const orders: TokenOrder[] = [
    { subject: 'quickstart', scopes: CLIENT_SCOPES, ttlSeconds },
    ...cellIds.map((cellId): TokenOrder => ({ subject: cellId, cellId, scopes: ['cell'], ttlSeconds })),
  ];
  const script = fileURLToPath(new URL('mint-tokens.js', import.meta.url));
  const args = [script, secretFile, JSON.stringify(orders)];
  const { stdout } = await promisify(execFile)(process.execPath, args).catch((error: { stderr?: string }) => {
    const [reason = 'its process failed'] = /^\w*Error.*$/m.exec(error.stderr ?? '') ?? [];
    throw new Error(`The tokens cannot be made: ${reason}`, { cause: error });
  });
  const [client = '', ...cells] = stdout.trim().split('\n');
  return { client, cells: Object.fromEntries(cellIds.map((cellId, index) => [cellId, cells[index] ?? ''])) };
}

function readOrMake(file: string, bytes: number): string {
  if (!existsSync(file)) writeFileSync(file, randomBytes(bytes).toString('hex'), { mode: 0o600 });
  return readFileSync(file, 'utf8').trim();
}
