import { assertPlainJson, MAX_JSON_DEPTH } from './assert-plain-json.js';

const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth));

describe('assertPlainJson', () => {
  it('accepts scalars and values up to the depth', () => {
    for (const value of [undefined, null, 1, 'x', { a: [{ b: null }] }, nested(MAX_JSON_DEPTH)]) {
      expect(() => assertPlainJson(value)).not.toThrow();
    }
  });

  it('refuses one level more, and a hundred thousand', () => {
    expect(() => assertPlainJson(nested(MAX_JSON_DEPTH + 1))).toThrow('nested deeper than 64 levels');
    expect(() => assertPlainJson(nested(100_000))).toThrow('nested deeper than 64 levels');
  });

  it.each(['__proto__', 'constructor', 'prototype'])('refuses the key %s anywhere', (key) => {
    expect(() => assertPlainJson(JSON.parse(`{"a":[{"${key}":1}]}`))).toThrow(`the key "${key}"`);
  });
});
