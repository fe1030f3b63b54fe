import { aTask } from '#test/builders.js';
import { parseEventsMessage, PushedEvents } from './pushed-events.js';

const textOf = (...guids: string[]) =>
  `events\n${JSON.stringify(guids.map((taskGuid) => ({ type: 'task_created', after: aTask({ taskGuid }) })))}`;
const seen = (pushed: PushedEvents) => pushed.take().map(({ shard, sequence }) => [shard, sequence]);

describe('a message about events', () => {
  it('may say no more than where', () => {
    expect(parseEventsMessage('7')).toEqual({ shard: 7 });
  });

  it('may bring them', () => {
    const text = `${textOf('a', 'b')}\ntrace\nabc`;
    const message = parseEventsMessage(`7 12 2\n${text}`);
    expect(message).toEqual({ shard: 7, entry: { last: 12, count: 2, text } });
    const pushed = new PushedEvents();
    expect(pushed.add(7, message.entry!, 10)).toBe(true);
    expect(pushed.take()).toMatchObject([
      { shard: 7, sequence: 11, event: { after: { taskGuid: 'a' }, traceId: 'abc' } },
      { shard: 7, sequence: 12, event: { after: { taskGuid: 'b' }, traceId: 'abc' } },
    ]);
    expect(pushed.isEmpty).toBe(true);
  });
});

describe('PushedEvents', () => {
  it('takes what comes next, whatever of it was taken already', () => {
    const pushed = new PushedEvents();
    expect(pushed.add(1, { last: 5, count: 1, text: textOf('a') }, 4)).toBe(true);
    expect(pushed.add(2, { last: 2, count: 2, text: textOf('b', 'c') }, 0)).toBe(true);
    expect(seen(pushed)).toEqual([
      [1, 5],
      [2, 1],
      [2, 2],
    ]);
    // The follower has not moved on yet.
    expect(pushed.add(1, { last: 6, count: 1, text: textOf('d') }, 4)).toBe(true);
    expect(seen(pushed)).toEqual([[1, 6]]);
  });

  it.each([
    ['something is missing before it', { last: 7, count: 1 }],
    ['the follower has it', { last: 5, count: 1 }],
    ['the follower has some of it', { last: 6, count: 2 }],
  ])('refuses when %s', (_what, numbers) => {
    const pushed = new PushedEvents();
    expect(pushed.add(1, { ...numbers, text: textOf('a') }, 5)).toBe(false);
    expect(pushed.isEmpty).toBe(true);
  });

  it('refuses what is too much', () => {
    const pushed = new PushedEvents();
    let last = 0;
    while (pushed.add(1, { last: last + 1, count: 1, text: textOf('a') }, 0)) last += 1;
    expect(last).toBe(1_000);
    pushed.drop(1);
    expect(pushed.add(2, { last: 1, count: 1, text: textOf('b') }, 0)).toBe(true);
  });

  it('forgets a shard that is read', () => {
    const pushed = new PushedEvents();
    pushed.add(1, { last: 5, count: 1, text: textOf('a') }, 4);
    pushed.add(2, { last: 1, count: 1, text: textOf('b') }, 0);
    pushed.drop(1);
    expect(seen(pushed)).toEqual([[2, 1]]);
    expect(pushed.add(1, { last: 9, count: 1, text: textOf('c') }, 8)).toBe(true);
  });
});
