import { VerifiedTokens } from './verified-tokens.js';

const principal = (expiresAt: number) => ({ subject: 'bob', scopes: [], expiresAt });

describe('VerifiedTokens', () => {
  it('knows a token until it expires, and then forgets it', () => {
    const verified = new VerifiedTokens();
    const bob = principal(100);
    verified.remember('t', bob, 1);
    expect(verified.find('t', 1, 99)).toBe(bob);
    expect(verified.find('t2', 1, 99)).toBeUndefined();
    expect(verified.find('t', 1, 100)).toBeUndefined();
    expect(verified.size).toBe(0);
  });

  it('does not know a token that was verified with other keys', () => {
    const verified = new VerifiedTokens();
    verified.remember('t', principal(100), 1);
    expect(verified.find('t', 2, 0)).toBeUndefined();
    expect(verified.find('t', 1, 0)).toBeUndefined();
  });

  it('keeps those used last', () => {
    const verified = new VerifiedTokens(2);
    verified.remember('a', principal(100), 1);
    verified.remember('b', principal(100), 1);
    verified.find('a', 1, 0);
    verified.remember('c', principal(100), 1);
    expect(verified.size).toBe(2);
    expect(['a', 'b', 'c'].filter((token) => verified.find(token, 1, 0) !== undefined)).toEqual(['a', 'c']);
  });
});
