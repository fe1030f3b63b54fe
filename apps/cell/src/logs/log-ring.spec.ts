import * as fc from 'fast-check';
import { LogRing } from './log-ring.js';

const line = (text: string, timestampMs = 0) => ({
  source: 'APP',
  stream: 'out' as const,
  text,
  timestampMs,
});
const never = new AbortController().signal;

/** Reads everything from a place on. */
function rest(ring: LogRing, from = 1): { texts: string[]; dropped: number } {
  const texts: string[] = [];
  let dropped = 0;
  for (let place = from; place < ring.end;) {
    const excerpt = ring.read(place, 200);
    dropped += excerpt.dropped;
    texts.push(...excerpt.lines.map(({ text }) => text));
    place = excerpt.next;
  }
  return { texts, dropped };
}

describe('a log ring', () => {
  it('numbers lines from 1 and hands them on from any place', () => {
    const ring = new LogRing(10_000);
    for (const text of ['a', 'b', 'c']) ring.append(line(text));
    expect(ring.read(2, 10_000)).toEqual({
      lines: [
        { ...line('b'), number: 2 },
        { ...line('c'), number: 3 },
      ],
      dropped: 0,
      next: 4,
    });
  });

  it('begins at the last so many lines, of those since a moment', () => {
    const ring = new LogRing(10_000);
    for (let at = 1; at <= 10; at += 1) ring.append(line(`${at}`, at * 100));
    expect(ring.startOf({})).toBe(1);
    expect(ring.startOf({ tail: 3 })).toBe(8);
    expect(ring.startOf({ tail: 0 })).toBe(11);
    expect(ring.startOf({ tail: 100 })).toBe(1);
    expect(ring.startOf({ since: 500 })).toBe(5);
    expect(ring.startOf({ since: 500, tail: 3 })).toBe(8);
    expect(ring.startOf({ since: 5_000 })).toBe(11);
  });

  it('keeps the newest up to its size and tells each reader what it missed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 3_000 }),
        fc.array(fc.string({ maxLength: 200 }), { minLength: 1, maxLength: 300 }),
        fc.nat(300),
        (maxBytes, texts, from) => {
          const ring = new LogRing(maxBytes);
          for (const text of texts) ring.append(line(text));
          const place = Math.min(from, texts.length) + 1;
          const { texts: read, dropped } = rest(ring, place);
          expect(read.length + dropped).toBe(texts.length + 1 - place);
          expect(read).toEqual(read.length === 0 ? [] : texts.slice(-read.length));
          // A single line that is too large stays all the same.
          expect(ring.size <= maxBytes || ring.read(1, 1).dropped === texts.length - 1).toBe(true);
        },
      ),
    );
  });

  it('does not grow with what has passed through it', () => {
    const ring = new LogRing(64 * 1024);
    for (let at = 0; at < 200_000; at += 1) ring.append(line(`line ${at}`));
    expect(ring.size).toBeLessThanOrEqual(64 * 1024);
    expect((ring as unknown as { lines: unknown[] }).lines.length).toBeLessThan(5_000);
    expect(rest(ring).texts.at(-1)).toBe('line 199999');
  });

  it('wakes whoever waits for a line, also when there will be none', async () => {
    const ring = new LogRing(1_000);
    const abort = new AbortController();
    const waits = [ring.reached(1, never), ring.reached(2, never), ring.reached(2, abort.signal)];
    ring.append(line('a'));
    await waits[0];
    abort.abort();
    await waits[2];
    ring.close();
    await waits[1];
  });
});
