const PLAIN = /^[\w.:/@+-]+$/;

/** One JSON log entry as a line for people: `time LEVEL app message key=value …`. */
export function textLine(json: string): string {
  const { time, level, app, message, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const pairs = Object.entries(fields).map(([key, value]) => `${key}=${show(value)}`);
  return `${[time, String(level).toUpperCase().padEnd(5), app, message, ...pairs].join(' ')}\n`;
}

function show(value: unknown): string {
  return typeof value === 'string' && PLAIN.test(value) ? value : JSON.stringify(value);
}
