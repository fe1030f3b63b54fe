import { LIMITS } from './limits.js';

/** How much of one input has been looked at. */
export interface Walk {
  /** Objects, lists and scalars so far. */
  values: number;
  readonly maxValues: number;
}

/** An object as `JSON.parse` makes them: no instance of a class, nor anything that only looks like an object. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.getPrototypeOf(value) === Object.prototype &&
    Object.prototype.toString.call(value) === '[object Object]'
  );
}

/** Counts a list's entries, or answers false when `structuralComplaint` would have something to say about the list. */
export function isFitList(list: readonly unknown[], depth: number, walk: Walk): boolean {
  walk.values += list.length;
  return depth < LIMITS.jsonDepth && list.length <= LIMITS.jsonListEntries && walk.values <= walk.maxValues;
}

/** The field names, counted; undefined when `structuralComplaint` would have something to say about the object itself. */
export function fitKeys(value: object, depth: number, walk: Walk): string[] | undefined {
  const keys = Object.keys(value);
  walk.values += keys.length;
  return depth < LIMITS.jsonDepth && keys.length <= LIMITS.jsonFields && walk.values <= walk.maxValues
    ? keys
    : undefined;
}

/**
 * Has `structuralComplaint` certainly nothing to say? False also for what is merely unusual, such as a field that is there
 * and undefined.
 */
export function isFitJson(value: unknown, depth: number, walk: Walk): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (Array.isArray(value)) {
    if (!isFitList(value, depth, walk)) return false;
    // Not `every`, which passes over holes.
    for (const entry of value) if (!isFitJson(entry, depth + 1, walk)) return false;
    return true;
  }
  if (!isPlainObject(value)) return false;
  const keys = fitKeys(value, depth, walk);
  if (keys === undefined) return false;
  for (const key of keys)
    if (key in Object.prototype || !isFitJson(value[key], depth + 1, walk)) return false;
  return true;
}
