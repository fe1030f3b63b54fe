import { Controller, Injectable, UseFilters, UseGuards } from '@nestjs/common';
import type { CanActivate, ExecutionContext, LoggerService, Type } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { defer, firstValueFrom, of, throwError } from 'rxjs';
import { delay, finalize } from 'rxjs/operators';
import { RiveraError } from '#rivera/models';
import type { CellMessages } from '#rivera/models';
import { startRedis } from '../../../test/support/redis.js';
import type { RedisHarness } from '../../../test/support/redis.js';
import { MailboxContext } from './mailbox-context.js';
import { MailboxErrorFilter } from './mailbox-error.filter.js';
import { MailboxServer } from './mailbox.server.js';
import type { MailboxServerOptions } from './mailbox.server.js';
import { Mailboxes } from './mailboxes.js';

type Place = CellMessages['place'];
type Stop = CellMessages['stop'];

const QUIET: LoggerService = { log: () => undefined, warn: () => undefined, error: () => undefined };
const until = (check: () => unknown): Promise<void> =>
  vi.waitFor(async () => expect(await check()).toBeTruthy(), { timeout: 20_000, interval: 20 });
const stop = (...instanceGuids: string[]): Stop => ({ instanceGuids, taskGuids: [] });
const place = (): Place => ({ lrps: [], tasks: [] });

/** What the actor under test does; each test scripts its own. */
class Script {
  onStop: (payload: Stop, context: MailboxContext) => unknown = () => undefined;
  onPlace: (payload: Place, context: MailboxContext) => unknown = () => undefined;
}
let script: Script;

@UseFilters(MailboxErrorFilter)
@Controller()
class CellActor {
  @EventPattern<string>('stop')
  stop(@Payload() payload: Stop, @Ctx() context: MailboxContext): unknown {
    return script.onStop(payload, context);
  }

  @MessagePattern('place')
  place(@Payload() payload: Place, @Ctx() context: MailboxContext): unknown {
    return script.onPlace(payload, context);
  }
}

interface Gate {
  opened: Promise<void>;
  open: () => void;
}
function gate(): Gate {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

let redis: RedisHarness;
let cellNumber = 0;
let cellId: string;
let cleanUps: (() => Promise<unknown>)[];

async function startActor(
  options: Partial<MailboxServerOptions> = {},
  controllers: Type<unknown>[] = [CellActor],
): Promise<MailboxServer> {
  const strategy = new MailboxServer({
    address: `cell.${cellId}`,
    connection: redis.url,
    messages: ['place', 'stop'],
    logger: QUIET,
    ...options,
  });
  const module = await Test.createTestingModule({ controllers }).compile();
  const app = module.createNestMicroservice({ strategy, logger: false });
  cleanUps.push(() => app.close());
  await app.listen();
  return strategy;
}

function mailboxes(options: Partial<ConstructorParameters<typeof Mailboxes>[0]> = {}): Mailboxes {
  const made = new Mailboxes({ connection: redis.url, logger: QUIET, backoffMs: 10, ...options });
  cleanUps.push(() => made.close());
  return made;
}

beforeAll(async () => {
  redis = await startRedis({ appendonly: true });
});
afterAll(async () => redis.stop());
beforeEach(() => {
  cellId = `c${(cellNumber += 1)}`;
  script = new Script();
  cleanUps = [];
});
afterEach(async () => {
  for (const cleanUp of cleanUps.toReversed()) await cleanUp();
});

describe('the protocol', () => {
  @Controller()
  class OnlyStop {
    @MessagePattern('stop')
    stop(): void {}
  }
  @Controller()
  class StopAndSteal {
    @MessagePattern('stop')
    stop(): void {}

    @MessagePattern('steal')
    steal(): void {}
  }

  it('refuses to start without a handler for each message', async () => {
    await expect(startActor({}, [OnlyStop])).rejects.toThrow(/refuses to start: no handler for "place"/);
  });

  it('refuses to start with handlers for other messages or two for one', async () => {
    const starting = startActor({}, [CellActor, StopAndSteal]);
    await expect(starting).rejects.toThrow(
      /handlers for undeclared "steal"; more than one handler for "stop"/,
    );
  });

  it('makes a message nobody handles a dead letter at once', async () => {
    await startActor();
    const senders = mailboxes();
    const letters = senders.deadLetters(`cell.${cellId}`);
    await firstValueFrom(senders.cell(cellId).emit('swap', { a: 1 }), { defaultValue: undefined });
    await until(async () => (await letters.count()) === 1);
    const [letter] = await letters.list();
    expect(letter).toMatchObject({ message: 'swap', payload: { a: 1 }, attempts: 1 });
    expect(letter?.error).toMatch(/^unsupported: Actor "cell.* does not know the message "swap"/);
    await letters.close();
  });
});

describe('delivery', () => {
  it('keeps the order and handles one message at a time, also while observables run', async () => {
    let running = 0;
    let mostAtOnce = 0;
    const seen: string[] = [];
    script.onStop = ({ instanceGuids: [guid = ''] }) =>
      defer(() => {
        seen.push(guid);
        running += 1;
        mostAtOnce = Math.max(mostAtOnce, running);
        return of(undefined).pipe(
          delay(1),
          finalize(() => (running -= 1)),
        );
      });
    const ref = mailboxes().cell(cellId);
    const guids = Array.from({ length: 50 }, (_, n) => `i${n}`);
    for (const guid of guids) await ref.tell('stop', stop(guid));
    await startActor();
    await until(() => seen.length === guids.length);
    expect(seen).toEqual(guids);
    expect(mostAtOnce).toBe(1);
  });

  it('retries with the same message id, then keeps the message with its error until it is replayed', async () => {
    const onDeadLetter = vi.fn();
    const deliveries: [string, number][] = [];
    let isBroken = true;
    script.onStop = (_, { delivery }) => {
      deliveries.push([delivery.messageId, delivery.delivery]);
      return isBroken ? throwError(() => new Error('the disk is full')) : of('done');
    };
    await startActor({ onDeadLetter });
    const senders = mailboxes({ attempts: 3 });
    const letters = senders.deadLetters(`cell.${cellId}`);
    await senders.cell(cellId).tell('stop', stop('a'));
    await until(async () => (await letters.count()) === 1);

    const [letter] = await letters.list();
    expect(letter).toMatchObject({
      message: 'stop',
      payload: stop('a'),
      error: 'the disk is full',
      attempts: 3,
    });
    expect(deliveries.map(([, n]) => n)).toEqual([1, 2, 3]);
    expect(new Set(deliveries.map(([id]) => id))).toEqual(new Set([letter?.id]));
    expect(onDeadLetter).toHaveBeenCalledExactlyOnceWith({ address: `cell.${cellId}`, ...letter });

    isBroken = false;
    await letters.replay(letter?.id ?? '');
    await until(() => deliveries.length === 4);
    await until(async () => (await letters.count()) === 0);
    await expect(letters.replay('nope')).rejects.toMatchObject({ code: 'not-found' });
    await letters.close();
  });

  it('does not retry what is not retryable, and replays all', async () => {
    let code: 'invalid-request' | undefined = 'invalid-request';
    const seen: string[] = [];
    script.onStop = ({ instanceGuids: [guid = ''] }) => {
      seen.push(guid);
      if (code) throw new RiveraError(code, 'No such thing.');
    };
    await startActor();
    const senders = mailboxes();
    const letters = senders.deadLetters(`cell.${cellId}`);
    for (const guid of ['a', 'b', 'c']) await senders.cell(cellId).tell('stop', stop(guid));
    await until(async () => (await letters.count()) === 3);
    expect(seen).toEqual(['a', 'b', 'c']);
    expect((await letters.list({ limit: 1 })).map((l) => l.error)).toEqual([
      'invalid-request: No such thing.',
    ]);

    code = undefined;
    expect(await letters.replayAll()).toBe(3);
    await until(() => seen.length === 6);
    expect(seen.slice(3)).toEqual(['a', 'b', 'c']);
    await letters.close();
  });

  it('applies guards, and reports what they refuse', async () => {
    @Injectable()
    class Closed implements CanActivate {
      canActivate(context: ExecutionContext): boolean {
        expect(context.switchToRpc().getContext<MailboxContext>().delivery.message).toBe('place');
        return false;
      }
    }
    @UseFilters(MailboxErrorFilter)
    @Controller()
    class Guarded extends CellActor {
      @UseGuards(Closed)
      @MessagePattern('place')
      override place(): unknown {
        return 'never';
      }

      @MessagePattern('stop')
      override stop(): unknown {
        return undefined;
      }
    }
    await startActor({}, [Guarded]);
    await expect(mailboxes().cell(cellId).ask('place', place(), 10_000)).rejects.toThrow(/Forbidden/);
  });

  it('keeps exactly one wake-up told while one is being handled', async () => {
    const first = gate();
    const seen: string[] = [];
    script.onStop = ({ instanceGuids: [guid = ''] }) => {
      seen.push(guid);
      return guid === '1' ? first.opened : undefined;
    };
    await startActor();
    const ref = mailboxes().cell(cellId);
    await ref.tell('stop', stop('1'), { dedupId: 'wake' });
    await until(() => seen.length === 1);
    for (const guid of ['2', '3', '4']) await ref.tell('stop', stop(guid), { dedupId: 'wake' });
    first.open();
    await until(() => seen.length === 2);
    // A marker behind them shows that nothing else waited.
    await ref.tell('stop', stop('marker'));
    await until(() => seen.includes('marker'));
    expect(seen).toEqual(['1', '4', 'marker']);

    await ref.tell('stop', stop('5'), { dedupId: 'wake' });
    await until(() => seen.includes('5'));
  });

  it('drops a wake-up while one waits, and a dead wake-up blocks no later one', async () => {
    const seen: string[] = [];
    script.onStop = ({ instanceGuids: [guid = ''] }) => {
      seen.push(guid);
      if (guid === '1') throw new RiveraError('internal', 'broken');
    };
    const ref = mailboxes().cell(cellId);
    for (const guid of ['1', '2', '3']) await ref.tell('stop', stop(guid), { dedupId: 'wake' });
    await startActor();
    await until(() => seen.length === 1);
    await until(async () => {
      await ref.tell('stop', stop('later'), { dedupId: 'wake' });
      return seen.includes('later');
    });
    expect(seen).not.toContain('2');
    expect(seen).not.toContain('3');
  });

  it('carries metadata beside the payload', async () => {
    script.onPlace = (_, context) => context.getMetadata();
    await startActor();
    const ref = mailboxes().cell(cellId);
    ref.setOnDispatchHook((packet) => (packet.metadata = { traceId: 't1' }));
    expect(await ref.ask('place', place(), 10_000)).toEqual({ traceId: 't1' });
  });

  it('reaches any number of cells over one connection', async () => {
    const admin = new Redis(redis.url);
    const connections = async (): Promise<number> =>
      String(await admin.client('LIST'))
        .trim()
        .split('\n').length;
    const before = await connections();
    const senders = mailboxes({ timeoutMs: 20_000 });
    const ids = Array.from({ length: 100 }, (_, n) => `${cellId}-${n}`);
    await Promise.all(ids.map((id) => senders.cell(id).tell('stop', stop(id))));
    expect(await connections()).toBe(before + 1);
    expect(senders.cell(ids[7] ?? '')).toBe(senders.cell(ids[7] ?? ''));
    admin.disconnect();
  });

  it('removes the mailbox of a cell that is gone, and one that comes later begins with an empty one', async () => {
    const senders = mailboxes();
    const keys = new Redis(redis.url);
    await senders.cell(cellId).tell('stop', stop('left behind'));
    expect(await keys.keys(`{cell-${cellId}}:*`)).not.toEqual([]);
    await senders.removeCell(cellId);
    expect(await keys.keys(`{cell-${cellId}}:*`)).toEqual([]);
    const handled: string[] = [];
    script.onStop = ({ instanceGuids }) => void handled.push(...instanceGuids);
    await startActor();
    await senders.cell(cellId).tell('stop', stop('new'));
    await until(() => handled.length > 0);
    expect(handled).toEqual(['new']);
    keys.disconnect();
  });

  it('waits for the running message when it closes, and takes no other', async () => {
    const running = gate();
    const seen: string[] = [];
    script.onStop = async ({ instanceGuids: [guid = ''] }) => {
      seen.push(guid);
      await running.opened;
      seen.push(`${guid} done`);
    };
    const server = await startActor();
    const ref = mailboxes().cell(cellId);
    await ref.tell('stop', stop('a'));
    await ref.tell('stop', stop('b'));
    await until(() => seen.length === 1);
    let isClosed = false;
    const closing = server.close().then(() => (isClosed = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isClosed).toBe(false);
    running.open();
    await closing;
    expect(seen).toEqual(['a', 'a done']);

    await server.resume();
    await until(() => seen.includes('b done'));
    expect(seen.filter((entry) => entry === 'a')).toHaveLength(1);
  });

  it('consumes only while it is not paused', async () => {
    const seen: string[] = [];
    script.onStop = ({ instanceGuids: [guid = ''] }) => seen.push(guid);
    const server = await startActor({ startPaused: true });
    const senders = mailboxes();
    await senders.cell(cellId).tell('stop', stop('a'));
    const queue = new Queue('mailbox', { prefix: `{cell-${cellId}}`, connection: new Redis(redis.url) });
    expect(await queue.getWorkersCount()).toBe(0);
    expect(seen).toEqual([]);
    await server.resume();
    await until(() => seen.length === 1);
    await server.pause();
    await senders.cell(cellId).tell('stop', stop('b'));
    expect(await queue.getWaitingCount()).toBe(1);
    await server.resume();
    await until(() => seen.length === 2);
    const { client } = queue.getBackend();
    await queue.close();
    (await client).disconnect();
  });

  it('delivers again what a worker held when it died', async () => {
    // A killed worker leaves its message active, under a lock that nobody renews.
    const taken = gate();
    const client = new Redis(redis.url, { maxRetriesPerRequest: null });
    const hang = (): Promise<void> => {
      taken.open();
      return new Promise(() => undefined);
    };
    const killed = new Worker('mailbox', hang, {
      prefix: `{cell-${cellId}}`,
      connection: client,
      lockDuration: 300,
      skipLockRenewal: true,
      skipStalledCheck: true,
    });
    await mailboxes().cell(cellId).tell('stop', stop('held'));
    await taken.opened;
    await killed.close(true);
    client.disconnect();

    const seen: number[] = [];
    script.onStop = (_, { delivery }) => seen.push(delivery.delivery);
    await startActor({ lockDurationMs: 300 });
    await until(() => seen.length === 1);
    expect(seen).toEqual([2]);
  });
});

describe('asking', () => {
  it('answers with the value of the handler, also by way of Nest', async () => {
    script.onPlace = ({ lrps }) => of({ refused: lrps.length });
    await startActor();
    const ref = mailboxes().cell(cellId);
    expect(await ref.ask('place', place(), 10_000)).toEqual({ refused: 0 });
    expect(await firstValueFrom(ref.send('place', place()))).toEqual({ refused: 0 });
  });

  it('rejects with the error of the handler, which is no dead letter', async () => {
    script.onPlace = () => {
      throw new RiveraError('conflict', 'Busy.', { by: 'me' });
    };
    await startActor();
    const senders = mailboxes();
    const asking = senders.cell(cellId).ask('place', place(), 10_000);
    await expect(asking).rejects.toMatchObject({ code: 'conflict', message: 'Busy.', details: { by: 'me' } });
    const letters = senders.deadLetters(`cell.${cellId}`);
    expect(await letters.count()).toBe(0);
    await letters.close();
  });

  it('rejects with unavailable when nobody answers in time', async () => {
    const asking = mailboxes().cell(cellId).ask('place', place(), 50);
    await expect(asking).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('an outage of the bus', () => {
  it('loses no message, recovers, and fails tells meanwhile', async () => {
    const seen: string[] = [];
    script.onStop = ({ instanceGuids: [guid = ''] }) => seen.push(guid);
    const senders = mailboxes({ timeoutMs: 5_000 });
    const waiting = senders.cell(`${cellId}-late`);
    await waiting.tell('stop', stop('kept'));
    const server = await startActor();
    const statuses: string[] = [];
    server.status.subscribe((status) => statuses.push(status));
    const ref = senders.cell(cellId);
    await ref.tell('stop', stop('before'));
    expect(await ref.ask('place', place(), 10_000)).toBeUndefined();
    await until(() => seen.includes('before'));

    await redis.kill9();
    await until(() => statuses.at(-1) === 'disconnected');
    await expect(ref.tell('stop', stop('lost'))).rejects.toMatchObject({
      code: 'unavailable',
      retryable: true,
    });

    await redis.restart();
    await until(async () => {
      await ref.tell('stop', stop('after'));
      return true;
    });
    await until(() => seen.includes('after'));
    expect(statuses.at(-1)).toBe('connected');
    expect(await ref.ask('place', place(), 10_000)).toBeUndefined();
    await startActor({ address: waiting.address });
    await until(() => seen.includes('kept'));
    expect(seen).not.toContain('lost');
  });

  it('does not keep servers and refs from closing', async () => {
    const seen: string[] = [];
    script.onStop = ({ instanceGuids: [guid = ''] }) => seen.push(guid);
    const server = await startActor();
    const neverUp = new MailboxServer({
      address: 'auctioneer',
      connection: 'redis://127.0.0.1:1',
      messages: [],
      logger: QUIET,
    });
    const resuming = neverUp.resume();
    const senders = mailboxes();
    expect(await senders.cell(cellId).ask('place', place(), 10_000)).toBeUndefined();
    await redis.kill9();
    try {
      await server.pause();
      await neverUp.close();
      await resuming;
      await senders.close();
    } finally {
      await redis.restart();
    }
    // Nothing that was closed comes back with Redis.
    const admin = new Redis(redis.url);
    expect(
      String(await admin.client('LIST'))
        .trim()
        .split('\n'),
    ).toHaveLength(1);
    admin.disconnect();
    // A mailbox paused during an outage works again after it.
    await server.resume();
    await mailboxes().cell(cellId).tell('stop', stop('a'));
    await until(() => seen.length === 1);
  });
});

describe('the Redis ACL of a cell', () => {
  // docs/actors.md, "A cell's Redis user"
  const RULES = (id: string): string[] =>
    (
      `on >secret resetkeys resetchannels ~{cell-${id}}:* nocommands +@read +@write +@scripting +@connection +@fast ` +
      '+info +client|setname -@admin -flushall -flushdb -keys -script|flush -function'
    ).split(' ');

  it('is enough for a mailbox and its sender, and for nothing else', async () => {
    const admin = new Redis(redis.url);
    await admin.acl('SETUSER', 'agent', ...RULES(cellId));
    await admin.set('{cell-other}:mailbox:id', '7');
    const url = `redis://agent:secret@127.0.0.1:${redis.port}`;
    const seen: string[] = [];
    let isBroken = true;
    script.onStop = ({ instanceGuids: [guid = ''] }) => {
      seen.push(guid);
      if (guid === 'b' && isBroken) throw new Error('once more');
    };
    await startActor({ connection: url });
    const own = mailboxes({ connection: url, attempts: 2 });
    await own.cell(cellId).tell('stop', stop('a'), { dedupId: 'x' });
    expect(await own.cell(cellId).ask('place', place(), 10_000)).toBeUndefined();
    await own.cell(cellId).tell('stop', stop('b'));
    const letters = own.deadLetters(`cell.${cellId}`);
    await until(async () => (await letters.count()) === 1);
    isBroken = false;
    expect(await letters.replayAll()).toBe(1);
    await until(() => seen.length === 4);
    expect(seen).toEqual(['a', 'b', 'b', 'b']);

    await expect(own.cell('other').tell('stop', stop('c'))).rejects.toMatchObject({ code: 'forbidden' });
    const agent = new Redis(url);
    await expect(agent.get('{cell-other}:mailbox:id')).rejects.toThrow(/NOPERM/);
    await expect(agent.eval("return redis.call('get', '{cell-other}:mailbox:id')", 0)).rejects.toThrow(
      /can't access/,
    );
    for (const command of [
      ['flushall'],
      ['keys', '*'],
      ['config', 'get', '*'],
      ['acl', 'whoami'],
      ['script', 'flush'],
    ]) {
      await expect(agent.call(...(command as [string, ...string[]])), command.join(' ')).rejects.toThrow(
        /NOPERM/,
      );
    }
    await letters.close();
    agent.disconnect();
    admin.disconnect();
  });
});
