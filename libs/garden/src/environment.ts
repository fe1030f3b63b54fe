/** Joins lists of `NAME=value`; of two entries with one name the later wins. */
export function mergeEnvironment(...lists: string[][]): string[] {
  const merged = new Map<string, string>();
  for (const entry of lists.flat()) merged.set(nameOf(entry), entry);
  return [...merged.values()];
}

/** The environment with `USER` when it has none (garden adds it for every process). */
export function withUser(environment: string[], user: string): string[] {
  return environment.some((entry) => nameOf(entry) === 'USER')
    ? environment
    : [...environment, `USER=${user}`];
}

function nameOf(entry: string): string {
  const end = entry.indexOf('=');
  return end < 0 ? entry : entry.slice(0, end);
}
