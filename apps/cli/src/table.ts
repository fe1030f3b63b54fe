export interface Column<T> {
  heading: string;
  /** An empty text is shown as `-`. */
  value: (row: T) => string | number | undefined;
  align?: 'left' | 'right';
}

/** Rows under headings, two spaces between columns, each line ended by a newline. */
export function formatTable<T>(rows: readonly T[], columns: readonly Column<T>[]): string {
  const cells = rows.map((row) => columns.map(({ value }) => oneLine(value(row))));
  const lines = [columns.map(({ heading }) => heading), ...cells];
  const widths = columns.map((_column, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  return lines.map((line) => `${pad(line, columns, widths).trimEnd()}\n`).join('');
}

/** Names and values below each other, for one record; what has no value is left out. */
export function formatRecord(entries: readonly (readonly [string, string | number | undefined])[]): string {
  const shown = entries.filter(([, value]) => value !== undefined && value !== '');
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join('');
}

function pad<T>(line: readonly string[], columns: readonly Column<T>[], widths: readonly number[]): string {
  return line
    .map((text, at) => {
      const width = widths[at] ?? 0;
      return columns[at]?.align === 'right' ? text.padStart(width) : text.padEnd(width);
    })
    .join('  ');
}

function oneLine(value: string | number | undefined): string {
  return value === undefined || value === '' ? '-' : String(value).replaceAll(/\s*\n\s*/g, ' ');
}
