import { createSecretKey, generateKeyPairSync } from 'node:crypto';

import { parseJwks } from './parse-jwks.js';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const jwk = (pair: { publicKey: typeof ec.publicKey }, more: object = {}) => ({
  ...pair.publicKey.export({ format: 'jwk' }),
  ...more,
});
const parse = (...keys: unknown[]) => parseJwks(JSON.stringify({ keys }));

describe('parseJwks', () => {
  it('takes the keys tokens can be checked with, each for its one algorithm', () => {
    const keys = parse(jwk(rsa, { kid: 'a', alg: 'RS256', use: 'sig' }), jwk(ec, { kid: 'b' }), jwk(ed));
    expect(keys.map(({ algorithm, kid }) => [algorithm, kid])).toEqual([
      ['RS256', 'a'],
      ['ES256', 'b'],
      ['EdDSA', undefined],
    ]);
    expect(keys.every(({ key }) => key.type === 'public')).toBe(true);
  });

  it.each([
    ['for encryption', jwk(rsa, { use: 'enc' })],
    ['of another algorithm', jwk(rsa, { alg: 'PS256' })],
    ['that claims an algorithm it cannot do', jwk(ec, { alg: 'HS256' })],
    ['that is a secret', createSecretKey(Buffer.alloc(32, 1)).export({ format: 'jwk' })],
    ['that is private', ed.privateKey.export({ format: 'jwk' })],
    ['that is too small', jwk(generateKeyPairSync('rsa', { modulusLength: 1024 }))],
    ['of another curve', jwk(generateKeyPairSync('ec', { namedCurve: 'P-384' }))],
    ['that is damaged', { kty: 'RSA', n: 'x' }],
    ['that is no object', 'key'],
    ['that is null', null],
  ])('leaves out a key %s', (_, unusable) => {
    expect(parse(unusable, jwk(ec, { kid: 'good' })).map(({ kid }) => kid)).toEqual(['good']);
  });

  it.each(['', 'no', 'null', '[]', '5', '{}', '{"keys":{}}'])('refuses %s', (text) => {
    expect(() => parseJwks(text)).toThrow('key set');
  });
});
