import type { Random } from './random.js';

const TEXTS = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  'a\udfffb',
  '\u202eright to left\u202c',
  '𝒳😀👩‍👩‍👧‍👦',
  'e\u0301\u0301\u0301',
  '\ufeff',
  '\u2028\u2029',
  '\r\nx-injected: 1',
  '../../../../etc/passwd',
  '..\\..',
  '%00%2e%2e%2f',
  '{{7*7}}${7*7}',
  "'; DROP TABLE lrps; --",
  '*\r\n$4\r\nPING\r\n',
  '__proto__',
  'constructor',
  'toString',
  'NaN',
  'null',
  '-1',
  '1e999',
  '0x10',
  'a'.repeat(255),
  'a'.repeat(256),
  'ä'.repeat(200),
  '\u{10ffff}',
];

const NUMBERS = [
  0,
  -0,
  1,
  -1,
  0.5,
  1e-320,
  255,
  256,
  65_535,
  65_536,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  2 ** 32,
  2 ** 53,
  -(2 ** 53),
  1e21,
  1.7e308,
];

export function hostileText(random: Random): string {
  return random.weighted([
    [8, () => random.pick(TEXTS)],
    [3, () => String.fromCharCode(...random.times(random.below(12), () => random.below(65_536)))],
    [1, () => random.pick(['x', '\0', '😀', '"', '\\']).repeat(random.below(3_000))],
    [0.1, () => 'x'.repeat(140_000)],
  ]);
}

export function hostileNumber(random: Random): number {
  return random.chance(0.7) ? random.pick(NUMBERS) : (random.next() - 0.5) * 10 ** random.below(25);
}

/** Any JSON value, mostly small. */
export function hostileValue(random: Random, depth = 0): unknown {
  const scalar = () =>
    random.weighted<unknown>([
      [3, () => hostileText(random)],
      [3, () => hostileNumber(random)],
      [1, () => random.chance(0.5)],
      [1, () => null],
    ]);
  if (depth > 3) return scalar();
  return random.weighted<unknown>([
    [4, scalar],
    [2, () => random.times(random.below(4), () => hostileValue(random, depth + 1))],
    [2, () => hostileObject(random, depth)],
    [0.05, () => random.times(5_000, () => random.pick([0, '', null]))],
    [0.05, () => Object.fromEntries(random.times(1_200, () => [`f${random.next()}`, 0]))],
    [0.2, () => nested(random)],
  ]);
}

function hostileObject(random: Random, depth: number): object {
  // `defineProperty`, because assigning `__proto__` sets the prototype.
  const object = {};
  for (let count = random.below(4); count > 0; count -= 1) {
    const value = hostileValue(random, depth + 1);
    Object.defineProperty(object, hostileText(random), { value, enumerable: true, configurable: true });
  }
  return object;
}

function nested(random: Random): unknown {
  let value: unknown = 1;
  for (let level = random.pick([40, 127, 200, 2_000]); level > 0; level -= 1) {
    value = random.chance(0.5) ? [value] : { a: value };
  }
  return value;
}
