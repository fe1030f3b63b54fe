import { createSecretKey } from 'node:crypto';
import jwt from 'jsonwebtoken';
import type { Random } from './random.js';

/** The cells that tokens of agents are for. */
export const CELL_IDS = ['cell-1', 'cell-2'];

const SCOPES = ['lrps', 'tasks', 'domains'].flatMap((each) => [`${each}:read`, `${each}:write`]);
const ALL_SCOPES = [...SCOPES, 'cells:read', 'cells:operate', 'events:read'];

/** Tokens as clients have them, and as nobody should. */
export class Tokens {
  private readonly minted = new Map<string, string>();

  constructor(private readonly secret: string) {}

  /** One that the route takes. */
  right(scopes: readonly string[], cellId: string): string {
    return scopes.includes('cell')
      ? this.mint({ scope: 'cell', cellId })
      : this.mint({ scope: scopes.join(' ') });
  }

  all(): string {
    return this.mint({ scope: ALL_SCOPES.join(' ') });
  }

  /** The value of an `Authorization` header that must not get in anywhere; undefined: none at all. */
  garbage(random: Random): string | undefined {
    const good = this.all();
    const [header = '', claims = ''] = good.split('.');
    return random.pick([
      undefined,
      '',
      'Bearer',
      'Bearer ',
      'Bearer nonsense',
      `Bearer ${'a'.repeat(6_000)}`,
      `Bearer ${good}x`,
      `Bearer ${header}.${claims}.`,
      `Bearer ${header}..`,
      `Bearer ${good.slice(0, random.below(good.length))}`,
      `Basic ${Buffer.from('admin:admin').toString('base64')}`,
      good,
      `Bearer ${unsigned(claims)}`,
      `Bearer ${unsigned(Buffer.from('null').toString('base64url'))}`,
      `Bearer ${this.mint({ scope: ALL_SCOPES.join(' '), expiresIn: -60 })}`,
      `Bearer ${this.mint({ scope: ALL_SCOPES.join(' '), secret: 'a-secret-of-somebody-else-that-is-long' })}`,
      `Bearer ${this.mint({ scope: ALL_SCOPES.join(' '), audience: 'somebody-else' })}`,
      `Bearer ${this.mint({ scope: '' })}`,
      `Bearer ${this.mint({ scope: 'root admin *' })}`,
      'Bearer \u00ff\u00fe',
    ]);
  }

  private mint(options: {
    scope: string;
    cellId?: string;
    expiresIn?: number;
    secret?: string;
    audience?: string;
  }): string {
    const name = JSON.stringify(options);
    const { scope, cellId, expiresIn = 7_200, secret = this.secret, audience = 'rivera' } = options;
    const known = this.minted.get(name);
    if (known !== undefined) return known;
    const claims = { sub: 'fuzz', scope, ...(cellId !== undefined && { cellId }) };
    const key = createSecretKey(Buffer.from(secret));
    const token = jwt.sign(claims, key, { algorithm: 'HS256', issuer: 'rivera', audience, expiresIn });
    this.minted.set(name, token);
    return token;
  }
}

function unsigned(claims: string): string {
  return `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${claims}.`;
}
