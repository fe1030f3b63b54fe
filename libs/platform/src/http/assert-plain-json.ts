import { RiveraError } from '#rivera/models';

/** Nothing of Rivera's API nests deeper; the code behind this check recurses. */
export const MAX_JSON_DEPTH = 64;

/** Keys that reach into an object's prototype when it is copied carelessly. */
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Refuses JSON that is nested too deeply or tries to pollute prototypes. Does not recurse itself.
 *
 * @throws RiveraError `invalid-request`
 */
export function assertPlainJson(value: unknown): void {
  const pending: { value: unknown; depth: number }[] = [{ value, depth: 1 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (typeof next.value !== 'object' || next.value === null) continue;
    if (next.depth > MAX_JSON_DEPTH) {
      throw new RiveraError(
        'invalid-request',
        `The request body is nested deeper than ${MAX_JSON_DEPTH} levels.`,
      );
    }
    const isList = Array.isArray(next.value);
    for (const [key, child] of Object.entries(next.value)) {
      if (!isList && FORBIDDEN_KEYS.has(key)) {
        const fields = [{ field: key, rule: 'forbidden-key', message: `${key} is not allowed as a key` }];
        throw new RiveraError(
          'invalid-request',
          `The request body holds the key "${key}", which is refused.`,
          { fields },
        );
      }
      if (typeof child === 'object' && child !== null) pending.push({ value: child, depth: next.depth + 1 });
    }
  }
}
