import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { connectRedis } from './redis.js';
import { WakeUps } from './wake-ups.js';

const INFO = 'redis_version:7.0.0\r\nloading:0\r\n';

/** Speaks as much of Redis as a subscriber needs, and hangs up when it is told to. */
async function startServer(onSubscribe: (connection: Socket, time: number) => boolean): Promise<Server> {
  let times = 0;
  const server = createServer((connection) => {
    connection.on('error', () => undefined);
    connection.on('data', (data) => {
      for (const [name] of data.toString().matchAll(/\r\n(info|subscribe|client|hello)\r\n/gi)) {
        const command = name.trim().toLowerCase();
        if (command === 'info') connection.write(`$${INFO.length}\r\n${INFO}\r\n`);
        else if (command !== 'subscribe') connection.write('+OK\r\n');
        else if (onSubscribe(connection, (times += 1)))
          connection.write('*3\r\n$9\r\nsubscribe\r\n$7\r\nchannel\r\n:1\r\n');
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

describe('WakeUps', () => {
  it('outlive a connection that breaks while they subscribe again, which ends no process', async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', note);
    let last: Socket | undefined;
    const server = await startServer((connection, time) => {
      last = connection;
      if (time % 2 === 1) return true;
      connection.destroy();
      return false;
    });
    const { port } = server.address() as AddressInfo;
    // An answer that will not come any more is given up while the test goes on.
    const redis = connectRedis(`redis://127.0.0.1:${port}`, { commandTimeout: 100 });
    redis.on('error', () => undefined);
    let tellings = 0;
    const stop = new WakeUps(redis).listen('channel', () => {
      tellings += 1;
      last?.destroy();
    });
    // Each time what may have been lost meanwhile is looked for.
    await vi.waitFor(() => expect(tellings).toBeGreaterThan(5), { timeout: 30_000 });
    expect(unhandled).toEqual([]);
    stop();
    redis.disconnect();
    server.close();
    process.off('unhandledRejection', note);
  });
});
