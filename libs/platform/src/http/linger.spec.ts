import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { Controller, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

import { RiveraLogger } from '../logging/rivera-logger.js';
import { PlatformModule } from '../platform.module.js';
import { configureHttp } from './configure-http.js';
import { createFastifyAdapter } from './create-fastify-adapter.js';
import { lingerAfter } from './linger.js';

const BODY_LIMIT_BYTES = 65_536;

@Controller()
class TakingController {
  @Post()
  take(): { taken: boolean } {
    return { taken: true };
  }
}

let app: NestFastifyApplication;
beforeAll(async () => {
  const logger = RiveraLogger.create({ app: 'test', destination: { write: () => undefined } });
  @Module({ imports: [PlatformModule.forRoot({ logger })], controllers: [TakingController] })
  class TakingModule {}
  const adapter = await createFastifyAdapter({ bodyLimitBytes: BODY_LIMIT_BYTES });
  app = configureHttp(
    await NestFactory.create<NestFastifyApplication>(TakingModule, adapter, { logger: false }),
  );
  await app.listen(0, '127.0.0.1');
});
afterAll(() => app.close());

/** A client of which only the server can end the connection; it reads nothing before it is told to. */
async function beginBody(lengthBytes: number): Promise<Socket> {
  const { port } = app.getHttpServer().address() as AddressInfo;
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.pause();
  await once(socket, 'connect');
  socket.write(
    `POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${lengthBytes}\r\n\r\n`,
  );
  return socket;
}

async function readToEnd(socket: Socket): Promise<string> {
  let received = '';
  socket.on('data', (chunk) => (received += chunk.toString()));
  socket.resume();
  await once(socket, 'end');
  return received;
}

describe('a refusal that is sent before the request was read', () => {
  const tooLarge = /^HTTP\/1\.1 413 .*connection: close/s;

  it('arrives though the client still sends', async () => {
    const half = 'x'.repeat(2 * BODY_LIMIT_BYTES);
    const socket = await beginBody(2 * half.length);
    for (const part of [half, half]) {
      socket.write(part);
      await sleep(100);
    }
    expect(await readToEnd(socket)).toMatch(tooLarge);
    socket.destroy();
  });

  it('cuts off in the end what does not end', async () => {
    const socket = await beginBody(1_000 * BODY_LIMIT_BYTES);
    expect(await readToEnd(socket)).toMatch(tooLarge);
    const sending = setInterval(() => socket.write('x'), 100);
    const [error] = (await once(socket, 'error')) as [Error];
    clearInterval(sending);
    expect(error.message).toMatch(/ECONNRESET|EPIPE/);
  });

  it('is no concern of a connection that is gone already', () => {
    expect(() => lingerAfter({ complete: false, socket: null } as unknown as IncomingMessage)).not.toThrow();
  });
});
