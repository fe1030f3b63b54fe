import { RiveraError } from '#rivera/models';

import { requireDomain, visibleTo } from './domains.js';

const bob = (domains?: string[]) => ({ subject: 'bob', scopes: [], domains });

describe('domains of a token', () => {
  it.each([
    [undefined, true],
    [['cf'], true],
    [['shop', 'cf'], true],
    [['CF'], false],
    [['cf-2'], false],
    [['*'], false],
    [[], false],
  ])('%o: may touch "cf"? %s', (domains, expected) => {
    expect(visibleTo(bob(domains), 'cf')).toBe(expected);
    if (expected) expect(() => requireDomain(bob(domains), 'cf')).not.toThrow();
    else expect(() => requireDomain(bob(domains), 'cf')).toThrow(RiveraError);
  });

  it('says who may not touch what', () => {
    const attempt = () => requireDomain(bob(['shop', 'blog']), 'cf');
    expect(attempt).toThrow(
      'The token of "bob" may not touch the domain "cf"; its claim "domains" allows: "shop", "blog".',
    );
    expect(() => requireDomain(bob([]), 'cf')).toThrow('allows: none.');
    try {
      attempt();
    } catch (error) {
      expect((error as RiveraError).code).toBe('forbidden');
    }
  });
});
