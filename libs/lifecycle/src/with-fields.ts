/**
 * The record with these fields in place of its own; those that are undefined go, so that a record reads the same before and
 * after it was stored as JSON. Built field by field: V8 takes half a microsecond for every field that a spread adds to what
 * another spread copied, which was most of the time of a rule.
 */
export function withFields<T extends object>(record: T, ...changes: Partial<T>[]): T {
  const merged: Partial<T> = {};
  for (const fields of [record, ...changes]) for (const name in fields) merged[name] = fields[name];
  return defined(merged) as T;
}

/** The record without members that are undefined. */
export function defined<T extends object>(record: T): T {
  const kept: Partial<T> = {};
  for (const name in record) if (record[name] !== undefined) kept[name] = record[name];
  return kept as T;
}
