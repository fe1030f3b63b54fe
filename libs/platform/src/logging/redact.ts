/** Keys whose values never reach a log, whatever they hold. Numbers stay: a fencing token is no secret. */
const SECRET_KEY = /(password|secret|token|authorization|cookie|credentials?|private_?key|api_?key)$/i;
const ENVIRONMENT_KEY = /^(env|environment|environmentVariables)$/;
const FILES_KEY = 'volumeMountedFiles';
const URL_PASSWORD = /(:\/\/[^\s:/@]*:)[^\s@/]+@/g;
const BEARER = /\bBearer\s+[^\s"',]+/gi;

/** What both of them need; most texts have neither. */
const HINT = /@|bearer/i;

export const REDACTED = '[redacted]';

/** What is to be done with the value of a member, by its key. */
type Treatment = 'secret' | 'environment' | 'files' | 'plain';

/** Most entries have the same few keys. Labels and the like may have any. */
const treatments = new Map<string, Treatment>();
const REMEMBERED_KEYS = 1_000;

/** Enough for any record of ours; stops a log line from walking a socket or a cycle. */
const MAX_DEPTH = 8;
const MAX_NODES = 2_000;

/**
 * Adds to an entry what is to be logged, under names of their own: without secrets, class instances as plain objects and
 * errors with their stacks. What is undefined is left out.
 */
export function redactInto(
  entry: Record<string, unknown>,
  fields: Record<string, unknown>,
  nameOf: (key: string) => string,
): void {
  const budget = { nodesLeft: MAX_NODES };
  for (const key of Object.keys(fields)) {
    const value = fields[key];
    if (value !== undefined) entry[nameOf(key)] = copyMember(key, value, budget, 1);
  }
}

/** Takes passwords out of URLs and bearer tokens out of a text. */
export function redactText(text: string): string {
  if (!HINT.test(text)) return text;
  return text.replace(URL_PASSWORD, `$1${REDACTED}@`).replace(BEARER, `Bearer ${REDACTED}`);
}

interface Budget {
  nodesLeft: number;
}

function copy(value: unknown, budget: Budget, depth: number): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  budget.nodesLeft -= 1;
  if (depth >= MAX_DEPTH || budget.nodesLeft < 0) return '[…]';
  if (value instanceof Error) return copyError(value, budget, depth);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return value.map((item) => copy(item, budget, depth + 1));
  if (value instanceof Map) return copyObject(Object.fromEntries(value), budget, depth);
  if (value instanceof Set) return copy([...value], budget, depth);
  return copyObject(value as Record<string, unknown>, budget, depth);
}

function copyObject(value: Record<string, unknown>, budget: Budget, depth: number): Record<string, unknown> {
  const copied: Record<string, unknown> = {};
  for (const key of Object.keys(value)) copied[key] = copyMember(key, value[key], budget, depth + 1);
  return copied;
}

function copyMember(key: string, value: unknown, budget: Budget, depth: number): unknown {
  const isObject = typeof value === 'object' && value !== null;
  if (!isObject && typeof value !== 'string') return copy(value, budget, depth);
  const treatment = treatmentOf(key);
  if (treatment === 'secret') return REDACTED;
  if (treatment === 'environment' && isObject) return hideValues(value, 'value');
  if (treatment === 'files' && isObject) return hideValues(value, 'content');
  return copy(value, budget, depth);
}

function treatmentOf(key: string): Treatment {
  const known = treatments.get(key);
  if (known !== undefined) return known;
  const treatment = treatmentByName(key);
  if (treatments.size < REMEMBERED_KEYS) treatments.set(key, treatment);
  return treatment;
}

function treatmentByName(key: string): Treatment {
  if (SECRET_KEY.test(key)) return 'secret';
  if (ENVIRONMENT_KEY.test(key)) return 'environment';
  return key === FILES_KEY ? 'files' : 'plain';
}

/** `[{ name, value }]` and `{ name: value }` keep their names only. */
function hideValues(value: object, member: string): unknown {
  if (Array.isArray(value)) {
    return value.map((item: unknown) => {
      if (typeof item !== 'object' || item === null) return REDACTED;
      const { name, path } = item as { name?: unknown; path?: unknown };
      return { name, path, [member]: REDACTED };
    });
  }
  return Object.fromEntries(Object.keys(value).map((key) => [key, REDACTED]));
}

function copyError(error: Error, budget: Budget, depth: number): Record<string, unknown> {
  const { message, stack, name, cause, ...rest } = error;
  return {
    ...copyObject(rest, budget, depth),
    type: name,
    message: redactText(message),
    stack: stack === undefined ? undefined : redactText(stack),
    ...(cause === undefined ? {} : { cause: copy(cause, budget, depth + 1) }),
  };
}
