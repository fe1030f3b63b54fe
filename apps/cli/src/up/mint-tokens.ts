// Usage: node mint-tokens.js <secret file> <JSON list of TokenOrder>; prints one token a line, in that order.
import { createSecretKey } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { mintToken, type TokenRequest } from '#rivera/platform';

export type TokenOrder = Pick<TokenRequest, 'subject' | 'scopes' | 'cellId' | 'ttlSeconds'>;

const [secretFile = '', orders = '[]'] = process.argv.slice(2);
const key = createSecretKey(readFileSync(secretFile, 'utf8').trim(), 'utf8');
for (const order of JSON.parse(orders) as TokenOrder[]) {
  process.stdout.write(`${mintToken({ ...order, key })}\n`);
}
