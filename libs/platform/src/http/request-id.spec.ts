import { requestIdOf } from './request-id.js';

describe('requestIdOf', () => {
  it('passes what is fit for a header and nothing else', () => {
    expect(requestIdOf({ 'x-request-id': 'abc-1:2' })).toBe('abc-1:2');
    expect(requestIdOf({ 'x-request-id': 'a b' })).toBeUndefined();
    expect(requestIdOf({ 'x-request-id': 'a'.repeat(129) })).toBeUndefined();
    expect(requestIdOf({})).toBeUndefined();
  });
});
