import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';

import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

import { RiveraLogger } from '../logging/rivera-logger.js';
import { PlatformModule } from '../platform.module.js';
import { configureHttp } from './configure-http.js';
import { createFastifyAdapter } from './create-fastify-adapter.js';

@Controller()
class HelloController {
  @Get()
  hello(): { hello: string } {
    return { hello: 'world' };
  }
}

let app: NestFastifyApplication;
beforeAll(async () => {
  const logger = RiveraLogger.create({ app: 'test', destination: { write: () => undefined } });
  @Module({ imports: [PlatformModule.forRoot({ logger })], controllers: [HelloController] })
  class HelloModule {}
  const adapter = await createFastifyAdapter({ bodyLimitBytes: 65_536 });
  app = configureHttp(
    await NestFactory.create<NestFastifyApplication>(HelloModule, adapter, { logger: false }),
  );
  await app.listen(0, '127.0.0.1');
});
afterAll(() => app.close());

/** Everything the server says until it closes the connection. */
async function answerTo(text: string): Promise<{ head: string; body: string }> {
  const socket = connect((app.getHttpServer().address() as AddressInfo).port, '127.0.0.1');
  let received = '';
  socket.on('data', (chunk) => (received += chunk.toString()));
  // The server cuts off what it does not read.
  socket.on('error', () => undefined);
  socket.write(text);
  await once(socket, 'close');
  const [head = '', body = ''] = received.split('\r\n\r\n', 2);
  return { head, body };
}

describe('what is not quite HTTP', () => {
  it.each([
    ['no HTTP at all', 'hello\r\n\r\n', 400],
    ['another protocol', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['a header without a name', 'GET / HTTP/1.1\r\nhost: x\r\n: y\r\n\r\n', 400],
    [
      'two lengths of the body',
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
      400,
    ],
    ['endless headers', `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
    ['an endless path', `GET /${'y'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, 431],
    ['no host', 'GET / HTTP/1.1\r\nconnection: close\r\n\r\n', 400],
  ])('is refused with a problem document: %s', async (_what, text, status) => {
    const { head, body } = await answerTo(text);
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head).toMatch(/content-type: application\/problem\+json/i);
    expect(head).toMatch(/connection: close/i);
    expect(JSON.parse(body)).toMatchObject({
      code: 'invalid-request',
      status,
      traceId: expect.stringMatching(/^\w{32}$/),
    });
  });

  it('is answered where it can be understood', async () => {
    const { head, body } = await answerTo(
      'GET / HTTP/1.1\r\nhost: x\r\nexpect: miracles\r\nconnection: close\r\n\r\n',
    );
    expect(head).toMatch(/^HTTP\/1.1 200 /);
    expect(JSON.parse(body)).toEqual({ hello: 'world' });
    expect((await answerTo('GET / HTTP/1.0\r\n\r\n')).head).toMatch(/^HTTP\/1.1 200 /);
  });
});
