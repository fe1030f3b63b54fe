import { RecentLogs } from './recent-logs.js';

const line = (text: string) => ({ source: 'APP', stream: 'out' as const, text, timestampMs: 0 });
const over = AbortSignal.abort();

describe('recent logs', () => {
  it('keep runs that have ended until they are too large together, the longest ended goes first', async () => {
    const logs = new RecentLogs({ ringBytes: 10_000, endedBytes: 3_000 });
    const runs = ['a', 'b', 'c'].map((guid) => logs.open({ kind: 'lrp', guid }));
    for (const run of runs) run.append(line('x'.repeat(500)));
    runs[1]!.close();
    runs[0]!.close();
    expect(await logs.find('a', over)).toBeDefined();
    expect(await logs.find('b', over)).toBeDefined();
    runs[2]!.close();
    runs[2]!.close();
    expect(await logs.find('b', over)).toBeUndefined();
    expect((await logs.find('c', over))?.ring.read(1, 1_000).lines).toHaveLength(1);
  });

  it('never forget one that goes on', async () => {
    const logs = new RecentLogs({ ringBytes: 10_000, endedBytes: 0 });
    const open = logs.open({ kind: 'lrp', guid: 'open' });
    logs.open({ kind: 'lrp', guid: 'ended' }).close();
    open.append(line('x'));
    expect((await logs.find('open', over))?.ring.end).toBe(2);
  });

  it('find what is only about to begin, and let go of who will not wait', async () => {
    const logs = new RecentLogs({ ringBytes: 10_000, endedBytes: 0 });
    const abort = new AbortController();
    const [one, other] = [logs.find('late', new AbortController().signal), logs.find('never', abort.signal)];
    logs.open({ kind: 'task', guid: 'early' });
    logs.open({ kind: 'task', guid: 'late' });
    abort.abort();
    expect((await one)?.origin.guid).toBe('late');
    expect(await other).toBeUndefined();
  });

  it('begin anew with a run that is tried again', async () => {
    const logs = new RecentLogs({ ringBytes: 10_000, endedBytes: 10_000 });
    const first = logs.open({ kind: 'task', guid: 't' });
    first.append(line('first'));
    logs.open({ kind: 'task', guid: 't' }).append(line('second'));
    first.close();
    const { lines } = (await logs.find('t', over))!.ring.read(1, 1_000);
    expect(lines.map(({ text }) => text)).toEqual(['second']);
  });
});
