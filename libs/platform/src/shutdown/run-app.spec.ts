import { EventEmitter } from 'node:events';

import { RiveraError } from '#rivera/models';

import { RiveraLogger } from '../logging/rivera-logger.js';
import { type Closable, runApp } from './run-app.js';

/** A process that only notes how it was ended. */
class FakeHost extends EventEmitter {
  readonly exits: number[] = [];
  readonly lines: string[] = [];
  readonly logger = RiveraLogger.create({
    app: 'test',
    destination: { write: (line) => this.lines.push(line) },
  });

  exit(code: number): never {
    this.exits.push(code);
    return undefined as never;
  }

  run(main: () => Promise<Closable>, deadlineMs?: number): Promise<void> {
    return runApp('test', main, { host: this as never, logger: this.logger, deadlineMs });
  }

  untilExit(): Promise<void> {
    return vi.waitFor(() => expect(this.exits).not.toEqual([]));
  }
}

describe('runApp', () => {
  it('closes the app on SIGTERM and exits 0', async () => {
    const host = new FakeHost();
    const close = vi.fn(async () => undefined);
    await host.run(async () => ({ close }));
    expect(host.exits).toEqual([]);
    host.emit('SIGTERM', 'SIGTERM');
    await host.untilExit();
    expect(host.exits).toEqual([0]);
    expect(close).toHaveBeenCalledOnce();
  });

  it('exits 1 when closing fails or passes the deadline', async () => {
    const failing = new FakeHost();
    await failing.run(async () => ({ close: () => Promise.reject(new Error('stuck container')) }));
    failing.emit('SIGINT', 'SIGINT');
    await failing.untilExit();
    expect(failing.exits).toEqual([1]);

    const slow = new FakeHost();
    await slow.run(async () => ({ close: () => new Promise(() => undefined) }), 10);
    slow.emit('SIGTERM', 'SIGTERM');
    await slow.untilExit();
    expect(slow.exits).toEqual([1]);
    expect(slow.lines.join('')).toContain('Closing took longer than 10 ms.');
  });

  it('ends at once on a second signal', async () => {
    const host = new FakeHost();
    await host.run(async () => ({ close: () => new Promise(() => undefined) }));
    host.emit('SIGTERM', 'SIGTERM');
    expect(host.exits).toEqual([]);
    host.emit('SIGINT', 'SIGINT');
    await host.untilExit();
    expect(host.exits[0]).toBe(1);
  });

  it('reports a foreseen failure to start in one line without a stack', async () => {
    const host = new FakeHost();
    await host.run(() => Promise.reject(new RiveraError('invalid-request', 'REDIS_URL is not set.')));
    expect(host.exits).toEqual([1]);
    expect(host.lines).toHaveLength(1);
    expect(JSON.parse(host.lines[0] ?? '')).toMatchObject({
      level: 'fatal',
      reason: 'REDIS_URL is not set.',
    });
    expect(host.lines[0]).not.toContain('stack');
  });

  it('reports an unforeseen failure to start with its stack', async () => {
    const host = new FakeHost();
    await host.run(() => Promise.reject(new TypeError('x is undefined')));
    expect(host.exits).toEqual([1]);
    expect(host.lines[0]).toContain('run-app.spec');
  });

  it.each(['unhandledRejection', 'uncaughtException'])('ends the process on %s', async (event) => {
    const host = new FakeHost();
    await host.run(async () => ({ close: async () => undefined }));
    host.emit(event, new Error('lost'));
    expect(host.exits).toEqual([1]);
    expect(host.lines.at(-1)).toContain(event);
  });
});
