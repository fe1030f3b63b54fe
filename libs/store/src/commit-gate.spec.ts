import { setImmediate as turn } from 'node:timers/promises';
import { CommitGate } from './commit-gate.js';

/** Commits that end when the test says so. */
function commits() {
  const gate = new CommitGate();
  const sent: string[] = [];
  const ends = new Map<string, { resolve: () => void; reject: (reason: Error) => void }>();
  const start = (name: string): Promise<string> =>
    gate.pass(async () => {
      sent.push(name);
      await new Promise<void>((resolve, reject) => ends.set(name, { resolve, reject }));
      return name;
    });
  return { sent, start, end: (name: string) => ends.get(name)!, settle: () => turn() };
}

describe('the gate of commits', () => {
  it('lets those of one moment through together, and those who come later after them, together', async () => {
    const { sent, start, end, settle } = commits();
    const [a, b] = [start('a'), start('b')];
    await settle();
    const [c, d] = [start('c'), start('d')];
    await settle();
    expect(sent).toEqual(['a', 'b']);
    end('a').resolve();
    expect(await a).toBe('a');
    await settle();
    expect(sent).toEqual(['a', 'b']);
    end('b').resolve();
    await b;
    await settle();
    expect(sent).toEqual(['a', 'b', 'c', 'd']);
    end('c').resolve();
    end('d').resolve();
    expect(await Promise.all([c, d])).toEqual(['c', 'd']);
  });

  it('does not make anybody wait who comes alone', async () => {
    const { sent, start, end, settle } = commits();
    for (const name of ['a', 'b', 'c']) {
      const done = start(name);
      expect(sent.at(-1)).toBe(name);
      await settle();
      end(name).resolve();
      await done;
    }
  });

  it('tells those who wait that the store does not answer, and is open again afterwards', async () => {
    const { sent, start, end, settle } = commits();
    const first = start('first');
    await settle();
    const waiting = [start('one'), start('two')];
    end('first').reject(new Error('away'));
    for (const each of [first, ...waiting]) await expect(each).rejects.toThrow('away');
    expect(sent).toEqual(['first']);
    const next = start('next');
    end('next').resolve();
    expect(await next).toBe('next');
  });
});
