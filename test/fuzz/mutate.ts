import { hostileText, hostileValue } from './hostile.js';
import type { Random } from './random.js';

type Owner = Record<string, unknown>;

/** The value with something in it changed, removed, added or repeated. */
export function mutate(value: unknown, random: Random): unknown {
  const copy = structuredClone(value);
  const places: [owner: Owner, key: string][] = [];
  const visit = (owner: unknown): void => {
    if (typeof owner !== 'object' || owner === null) return;
    for (const key of Object.keys(owner)) {
      places.push([owner as Owner, key]);
      visit((owner as Owner)[key]);
    }
  };
  visit(copy);
  if (places.length === 0) return hostileValue(random);
  for (let count = 1 + random.below(2); count > 0; count -= 1) {
    const [owner, key] = random.pick(places);
    random.weighted([
      [5, () => void (owner[key] = hostileValue(random))],
      [2, () => void delete owner[key]],
      [2, () => void (owner[hostileText(random)] = hostileValue(random))],
      [1, () => void (owner[key] = [owner[key], owner[key]])],
      [1, () => void (owner[key] = { [key]: owner[key] })],
      [1, () => void (owner[key] = textOf(owner[key]))],
    ]);
  }
  return copy;
}

/** What an earlier change has nested too deep to be written out becomes an empty text. */
function textOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch (error) {
    if (error instanceof RangeError) return '';
    throw error;
  }
}

/** The text of a body with its bytes spoilt. */
export function spoil(text: string, random: Random): Buffer {
  const bytes = Buffer.from(text);
  const at = random.below(bytes.length + 1);
  const insert = (...inserted: (string | Buffer)[]): Buffer =>
    Buffer.concat([bytes.subarray(0, at), ...inserted.map((each) => Buffer.from(each)), bytes.subarray(at)]);
  return random.weighted<Buffer>([
    [3, () => bytes.subarray(0, at)],
    [2, () => insert(Buffer.from([0xff, 0xc0, 0x80, 0xed, 0xa0, 0x80]))],
    [1, () => insert('\0')],
    [
      1,
      () =>
        insert(
          random.pick([
            '{',
            '}',
            '[',
            ']',
            '"',
            ',',
            ':',
            '\\',
            '\\ud800',
            '\\u',
            'NaN',
            '-',
            '1e400',
            '\ufeff',
          ]),
        ),
    ],
    [1, () => Buffer.from(text.replace('{', '{"domain":"one","domain":"two","processGuid":1,'))],
    [1, () => Buffer.from(text.replace('{', '{"__proto__":{"admin":true},'))],
    [1, () => Buffer.from('['.repeat(50_000))],
    [1, () => Buffer.from(`${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`)],
    [1, () => Buffer.from(text, 'utf16le')],
    [0.1, () => Buffer.from(`{"annotation":"${'x'.repeat(1_200_000)}"}`)],
    [0.1, () => Buffer.from(`[${'0,'.repeat(100_000)}0]`)],
  ]);
}
