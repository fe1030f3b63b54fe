import { Actor } from './actor.js';
import type { ActorOptions, Directive, Failure } from './actor.js';

/** An actor that records what it receives; "boom" throws. */
function recorder(options: Partial<ActorOptions<string>> & { directive?: Directive } = {}) {
  const seen: string[] = [];
  const failures: Failure<string>[] = [];
  const escalated: Failure<string>[] = [];
  const dead: string[] = [];
  let lives = 0;
  const actor = new Actor<string>({
    name: 'container',
    behavior: () => {
      lives += 1;
      const life = lives;
      return {
        receive: async (message) => {
          await Promise.resolve();
          seen.push(`${life}:${message}`);
          if (message === 'boom') throw new Error('boom');
        },
        postStop: () => void seen.push(`${life}:postStop`),
      };
    },
    supervisor: {
      decide: (failure) => {
        failures.push(failure);
        return options.directive ?? 'resume';
      },
      escalated: (failure) => void escalated.push(failure),
    },
    onDeadLetter: (message) => void dead.push(message),
    ...options,
  });
  return { actor, seen, failures, escalated, dead };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Actor', () => {
  it('handles one message at a time, in order, after tell has returned', async () => {
    const log: string[] = [];
    const { actor } = recorder({
      behavior: () => ({
        receive: async (message) => {
          log.push(`${message} begins`);
          await settle();
          log.push(`${message} ends`);
        },
      }),
    });
    actor.tell('a');
    actor.tell('b');
    expect(log).toEqual([]);
    await vi.waitFor(() => expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends']));
  });

  it('resumes: drops the message and keeps its state', async () => {
    const { actor, seen, failures } = recorder({ directive: 'resume' });
    for (const message of ['boom', 'a']) actor.tell(message);
    await vi.waitFor(() => expect(seen).toEqual(['1:boom', '1:a']));
    expect(failures).toEqual([{ actor: 'container', error: new Error('boom'), message: 'boom' }]);
  });

  it('restarts: a fresh behavior, after the old one cleaned up', async () => {
    const { actor, seen } = recorder({ directive: 'restart' });
    for (const message of ['boom', 'a']) actor.tell(message);
    await vi.waitFor(() => expect(seen).toEqual(['1:boom', '1:postStop', '2:a']));
  });

  it('stops: waiting messages are dead letters', async () => {
    const { actor, seen, dead, escalated } = recorder({ directive: 'stop' });
    for (const message of ['boom', 'a']) actor.tell(message);
    await actor.ended;
    expect(actor.tell('b')).toBe(false);
    expect(seen).toEqual(['1:boom', '1:postStop']);
    expect(dead).toEqual(['a', 'b']);
    expect(escalated).toEqual([]);
  });

  it('escalates: ends and tells the parent', async () => {
    const { actor, escalated } = recorder({ directive: 'escalate' });
    actor.tell('boom');
    await actor.ended;
    expect(escalated).toEqual([{ actor: 'container', error: new Error('boom'), message: 'boom' }]);
  });

  it('escalates what goes wrong in restarting, and survives what goes wrong in stopping', async () => {
    const broken = (): never => {
      throw new Error('cannot clean up');
    };
    const { actor, escalated } = recorder({
      directive: 'restart',
      behavior: () => ({ receive: broken, postStop: broken }),
    });
    actor.tell('x');
    await actor.ended;
    expect(escalated.map(({ error }) => error)).toEqual([
      new Error('cannot clean up'),
      new Error('cannot clean up'),
    ]);
  });

  it('refuses more messages than it may hold', async () => {
    const { actor } = recorder({ capacity: 2 });
    actor.tell('a');
    actor.tell('b');
    expect(() => actor.tell('c')).toThrow(expect.objectContaining({ code: 'too-many-requests' }));
    await actor.stop();
  });

  it('stops after the running message, also when a handler stops its own actor', async () => {
    const seen: string[] = [];
    const actor = new Actor<string>({
      name: 'self',
      behavior: (self) => ({
        receive: async (message) => {
          void self.stop();
          await settle();
          seen.push(message);
        },
      }),
      supervisor: { decide: () => 'resume', escalated: () => undefined },
    });
    actor.tell('a');
    actor.tell('b');
    await actor.ended;
    expect(seen).toEqual(['a']);
  });

  describe('timers', () => {
    beforeEach(
      () => void vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] }),
    );
    afterEach(() => void vi.useRealTimers());

    it('tell the actor once or again and again, until cancelled, restarted or stopped', async () => {
      const { actor, seen } = recorder({ directive: 'restart' });
      actor.startSingleTimer('once', 'single', 10);
      actor.startPeriodicTimer('tick', 'tick', 10);
      await vi.advanceTimersByTimeAsync(20);
      await settle();
      expect(seen).toEqual(['1:single', '1:tick', '1:tick']);
      actor.cancelTimer('tick');
      await vi.advanceTimersByTimeAsync(50);
      expect(seen).toHaveLength(3);

      actor.startSingleTimer('once', 'never', 10);
      actor.tell('boom');
      await settle();
      await vi.advanceTimersByTimeAsync(50);
      expect(seen.slice(3)).toEqual(['1:boom', '1:postStop']);

      actor.startPeriodicTimer('tick', 'never', 10);
      await actor.stop();
      expect(vi.getTimerCount()).toBe(0);
      expect(seen).not.toContain('2:never');
    });

    it('a cancelled timer that has fired already is not heard', async () => {
      const { actor, seen } = recorder();
      actor.startSingleTimer('t', 'old', 10);
      vi.advanceTimersByTime(10);
      actor.startSingleTimer('t', 'new', 10);
      await settle();
      await vi.advanceTimersByTimeAsync(10);
      await settle();
      expect(seen).toEqual(['1:new']);
    });

    it('a slow actor is not flooded by its own ticks', async () => {
      const { actor, seen } = recorder();
      actor.startPeriodicTimer('tick', 'tick', 1);
      vi.advanceTimersByTime(100);
      await settle();
      expect(seen).toEqual(['1:tick']);
      await actor.stop();
    });
  });
});
