import { MAX_LINE_BYTES } from './line-splitter.js';
import type { LogRates } from './log-rate-limiter.js';
import type { LogLine } from './log-sink.js';
import { LogStreamer } from './log-streamer.js';

describe('LogStreamer', () => {
  let lines: LogLine[];
  let nowMs: number;
  const streamer = (rates: Partial<LogRates> = {}): LogStreamer =>
    new LogStreamer(
      { append: (line) => lines.push(line), close: () => undefined },
      { linesPerSecond: 0, ...rates },
      () => nowMs,
    );
  const texts = (): string[] => lines.map(({ text }) => text);

  beforeEach(() => {
    lines = [];
    nowMs = 1_000;
  });

  it('cuts at line ends, drops empty lines and keeps a partial line until it is flushed', () => {
    const output = streamer().output('APP');
    output.stdout(Buffer.from('one\ntw'));
    output.stderr(Buffer.from('err\r\n\n'));
    output.stdout(Buffer.from('o\rthree'));
    expect(texts()).toEqual(['one', 'err', 'two']);
    output.flush();
    expect(lines).toEqual([
      { source: 'APP', stream: 'out', text: 'one', timestampMs: 1_000 },
      { source: 'APP', stream: 'err', text: 'err', timestampMs: 1_000 },
      { source: 'APP', stream: 'out', text: 'two', timestampMs: 1_000 },
      { source: 'APP', stream: 'out', text: 'three', timestampMs: 1_000 },
    ]);
  });

  it('cuts long lines between characters, however they arrive', () => {
    const text = 'ä€𝄞x'.repeat(20_000);
    for (const size of [1_000, 65_536, 1_000_000]) {
      lines = [];
      const output = streamer().output('APP');
      const bytes = Buffer.from(text);
      for (let begin = 0; begin < bytes.length; begin += size) {
        output.stdout(bytes.subarray(begin, begin + size));
      }
      output.flush();
      expect(texts().join('')).toBe(text);
      expect(Math.max(...texts().map((line) => Buffer.byteLength(line)))).toBeLessThanOrEqual(MAX_LINE_BYTES);
    }
  });

  it('says once that a rate was exceeded, is silent for a second, and goes on', () => {
    const logs = streamer({ bytesPerSecond: 10 });
    const output = logs.output('APP');
    output.stdout(Buffer.from('12345\n12345\n12345\n12345\n'));
    output.stderr(Buffer.from('more\n'));
    expect(texts()).toEqual(['12345', '12345', 'app instance exceeded log rate limit (10 bytes/sec)']);
    expect(lines.at(-1)).toMatchObject({ source: 'CELL', stream: 'err' });
    nowMs += 1_000;
    output.stdout(Buffer.from('again\n'));
    expect(texts().at(-1)).toBe('again');
  });

  it('limits lines as the operator says', () => {
    const output = streamer({ linesPerSecond: 2 }).output('APP');
    output.stdout(Buffer.from('a\nb\nc\nd\n'));
    expect(texts()).toEqual([
      'a',
      'b',
      'app instance exceeded log rate limit (2 log-lines/sec) set by platform operator',
    ]);
  });

  it('with a rate of 0 lets nothing but the lines of the cell through, with −1 everything', () => {
    const none = streamer({ bytesPerSecond: 0 });
    none.output('APP').stdout(Buffer.from('a\n'));
    none.line('APP', 'out', 'progress');
    none.platform('out', 'creating');
    expect(texts()).toEqual(['creating']);
    streamer({ bytesPerSecond: -1 })
      .output('APP')
      .stdout(Buffer.from('x\n'.repeat(1_000)));
    expect(lines).toHaveLength(1_001);
  });
});
