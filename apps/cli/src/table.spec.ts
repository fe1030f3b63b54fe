import { ago } from './output.js';
import { formatRecord, formatTable } from './table.js';

describe('formatTable', () => {
  it('pads, aligns, keeps a row on one line and shows what is missing', () => {
    const columns = [
      { heading: 'NAME', value: ({ name }: { name: string; n?: number }) => name },
      { heading: 'N', value: ({ n }: { name: string; n?: number }) => n, align: 'right' as const },
    ];
    const rows = [{ name: 'one', n: 1000 }, { name: 'a\n  b' }, { name: 'zero', n: 0 }];
    expect(formatTable(rows, columns)).toBe(
      ['NAME     N', 'one   1000', 'a b      -', 'zero     0', ''].join('\n'),
    );
  });
});

describe('formatRecord', () => {
  it('leaves out what has no value', () => {
    expect(
      formatRecord([
        ['a', 1],
        ['long', 'x'],
        ['none', undefined],
        ['empty', ''],
      ]),
    ).toBe('a     1\nlong  x\n');
  });
});

describe('ago', () => {
  it.each([
    [0, '0s'],
    [-5000, '0s'],
    [59_999, '59s'],
    [60_000, '1m'],
    [3_599_999, '59m'],
    [3_600_000, '1h'],
    [86_400_000, '1d'],
    [900 * 86_400_000, '900d'],
  ])('%d ms is %s', (ms, text) => {
    expect(ago(1_000_000_000_000 - ms, 1_000_000_000_000)).toBe(text);
  });
});
