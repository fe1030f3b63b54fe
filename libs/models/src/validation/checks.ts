import { isDestination } from './ip-address.js';
import { LIMITS, MAX_INT32 } from './limits.js';
import { type Check, type Complaint, type ScalarCheck, isFine } from './rule.js';

/** A list that is wrong throughout need not be read out in full. */
const MAX_COMPLAINTS_PER_LIST = 20;

export interface TextOptions {
  /** Least number of bytes; 0 when absent. */
  min?: number;
  max: number;
  pattern?: RegExp;
  /** The pattern in words, as the end of "must …". */
  patternInWords?: string;
  /** Accept NUL characters and lone surrogates: for output that Rivera only passes on. */
  anyCharacters?: boolean;
}

/** Is a JSON object: neither null nor a list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** UTF-8 size; cheap for texts that cannot exceed `limit` anyway. */
export function exceedsBytes(value: string, limit: number): boolean {
  if (value.length * 3 <= limit) return false;
  return value.length > limit || Buffer.byteLength(value) > limit;
}

/** Text that fits into `max` bytes and, unless said otherwise, can be handed to the operating system. */
export function text({
  min = 0,
  max,
  pattern,
  patternInWords,
  anyCharacters = false,
}: TextOptions): ScalarCheck {
  return (value) => {
    if (typeof value !== 'string') return 'must be a string';
    if (value.length < min) return 'must not be empty';
    if (exceedsBytes(value, max)) return `must be at most ${max} bytes long`;
    if (!anyCharacters && (value.includes('\0') || !value.isWellFormed()))
      return 'must not contain NUL characters or half surrogate pairs';
    if (pattern !== undefined && !pattern.test(value)) return `must ${patternInWords ?? `match ${pattern}`}`;
    return undefined;
  };
}

export const guid = text({
  min: 1,
  max: LIMITS.nameBytes,
  pattern: /^[a-zA-Z0-9_-]+$/,
  patternInWords: 'consist of letters, digits, "_" and "-" only',
});

export const cellId = text({
  min: 1,
  max: LIMITS.nameBytes,
  pattern: /^[a-zA-Z0-9_.-]+$/,
  patternInWords: 'consist of letters, digits, "_", "." and "-" only',
});

export const domainName = text({ min: 1, max: LIMITS.nameBytes });

export const name = text({ min: 1, max: LIMITS.nameBytes });

export function integer({ min, max = MAX_INT32 }: { min: number; max?: number }): ScalarCheck {
  return (value) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max)
      return undefined;
    const found = typeof value === 'number' ? `, not ${value}` : '';
    return `must be an integer from ${min} to ${max}${found}`;
  };
}

export const port = integer({ min: 1, max: 65_535 });

export const flag: ScalarCheck = (value) =>
  typeof value === 'boolean' ? undefined : 'must be true or false';

export function oneOf(values: readonly string[]): ScalarCheck {
  return (value) =>
    typeof value === 'string' && values.includes(value)
      ? undefined
      : `must be one of ${values.join(', ')}${typeof value === 'string' ? `, not ${quoted(value)}` : ''}`;
}

/** An absolute URL of any scheme. */
export function url({
  max = LIMITS.urlBytes,
  schemes,
}: { max?: number; schemes?: readonly string[] } = {}): ScalarCheck {
  const isText = text({ min: 1, max });
  return (value) => {
    const complaint = isText(value);
    if (complaint !== undefined || typeof value !== 'string') return complaint;
    const [, scheme] = /^([a-zA-Z][a-zA-Z0-9+.-]*):./.exec(value) ?? [];
    if (scheme === undefined || !URL.canParse(value)) return 'must be a URL with a scheme, such as https://…';
    if (schemes !== undefined && !schemes.includes(scheme.toLowerCase()))
      return `must be a URL with the scheme ${schemes.join(' or ')}`;
    return undefined;
  };
}

const isRootfsUrl = url({ max: LIMITS.rootfsBytes });

/** The root filesystem of a container: a URL as Diego writes them. */
export const rootfs: ScalarCheck = (value) => {
  const complaint = isRootfsUrl(value);
  return complaint?.includes('scheme')
    ? 'must be a URL with a scheme, such as preloaded:<stack> or docker:///library/busybox#latest (a tag follows "#")'
    : complaint;
};

export interface ListOptions {
  min?: number;
  max: number;
  unique?: boolean;
}

/** A list each entry of which passes `entry`; complaints name the entries. */
export function listOf(entry: Check, { min = 0, max, unique = false }: ListOptions): Check {
  return (value) => {
    if (!Array.isArray(value)) return 'must be a list';
    if (value.length < min) return `must have at least ${min} ${min === 1 ? 'entry' : 'entries'}`;
    if (value.length > max) return `must have at most ${max} entries, not ${value.length}`;
    if (!value.every((each: unknown) => isFine(entry(each))))
      return prefixed(value.map((each: unknown, index) => [`[${index}]`, entry(each)]));
    return unique && new Set(value).size < value.length ? 'must not name anything twice' : undefined;
  };
}

/** An object with names the client chooses; complaints name the entries. */
export function mapOf(entry: Check, { max }: { max: number }): Check {
  return (value) => {
    if (!isRecord(value)) return 'must be an object';
    const entries = Object.entries(value);
    if (entries.length > max) return `must have at most ${max} entries, not ${entries.length}`;
    if (entries.every(([key, each]) => name(key) === undefined && isFine(entry(each)))) return undefined;
    return prefixed(
      entries.map(([key, each]) => {
        const unfitKey = name(key);
        return [
          `[${quoted(key)}]`,
          unfitKey === undefined ? entry(each) : `has an unfit name: it ${unfitKey}`,
        ];
      }),
    );
  };
}

/** Puts the path of the part before what is wrong with it. */
export function prefixed(parts: (readonly [path: string, complaint: Complaint])[]): string[] {
  return parts
    .flatMap(([path, complaint]) =>
      [complaint ?? []].flat().map((words) => (/^[.[]/.test(words) ? `${path}${words}` : `${path} ${words}`)),
    )
    .slice(0, MAX_COMPLAINTS_PER_LIST);
}

/** The value as it may be shown in a message. */
export function quoted(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
}

const isDestinationText = text({ min: 1, max: LIMITS.textBytes });

/** An IP address, a CIDR block or a range `first-last`; several may be joined by commas (Diego, security groups). */
export const destination: ScalarCheck = (value) => {
  const complaint = isDestinationText(value);
  if (complaint !== undefined || typeof value !== 'string') return complaint;
  const unfit = value.split(',').find((part) => !isDestination(part));
  return unfit === undefined
    ? undefined
    : `must be an IP address, a CIDR block or a range "first-last", not ${quoted(unfit)}`;
};
