import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { Readable } from 'node:stream';

import { Body, Controller, Get, Module, Param, Post, Req, Res, StreamableFile } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { WebSocket } from 'ws';

import { notFound } from '#rivera/models';

import { RiveraLogger } from '../logging/rivera-logger.js';
import { PlatformModule } from '../platform.module.js';
import { acceptWebSocket } from './accept-web-socket.js';
import { configureHttp } from './configure-http.js';
import { createFastifyAdapter } from './create-fastify-adapter.js';

/** More than a connection takes at once. */
const LARGE_PARTS = 256;

@Controller()
class EchoController {
  @Get('echo/:name')
  async echo(
    @Param('name') name: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (name === 'nobody') throw notFound('socket', name);
    const socket = await acceptWebSocket(request, reply);
    socket.on('message', (data: Buffer) => socket.send(`${name} says ${data.toString()}`));
  }

  @Get('large')
  large(): StreamableFile {
    return new StreamableFile(Readable.from(Array.from({ length: LARGE_PARTS }, () => 'x'.repeat(65_536))));
  }

  @Get('later')
  async later(): Promise<object> {
    await new Promise((resolve) => setTimeout(resolve, 30));
    return { now: 'later' };
  }

  @Post('back')
  back(@Body() body: object): object {
    return body;
  }
}

let app: NestFastifyApplication;
let port: number;
beforeAll(async () => {
  const logger = RiveraLogger.create({ app: 'test', destination: { write: () => undefined } });
  @Module({ imports: [PlatformModule.forRoot({ logger })], controllers: [EchoController] })
  class EchoModule {}
  const adapter = await createFastifyAdapter({ bodyLimitBytes: 65_536 });
  app = configureHttp(
    await NestFactory.create<NestFastifyApplication>(EchoModule, adapter, { logger: false }),
  );
  await app.listen(0, '127.0.0.1');
  port = (app.getHttpServer().address() as AddressInfo).port;
});
afterAll(() => app.close());

function open(path: string): WebSocket {
  return new WebSocket(`ws://127.0.0.1:${port}${path}`);
}

/** Everything the server says until it closes the connection. */
async function answerTo(...texts: string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.on('data', (chunk) => (received += chunk.toString()));
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  for (const text of texts) await new Promise((resolve) => socket.write(text, resolve));
  await closed;
  return received;
}

const HANDSHAKE = 'upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n';

describe('a route that takes WebSockets', () => {
  it('talks to whoever sends the handshake', async () => {
    const socket = open('/echo/ann');
    await once(socket, 'open');
    socket.send('hello');
    const [data] = (await once(socket, 'message')) as [Buffer];
    expect(data.toString()).toBe('ann says hello');
    socket.close();
    await once(socket, 'close');
  });

  it('refuses with a problem document, as any route does', async () => {
    const socket = open('/echo/nobody');
    socket.on('error', () => undefined);
    const [, response] = (await once(socket, 'unexpected-response')) as [
      unknown,
      NodeJS.ReadableStream & { statusCode: number; headers: Record<string, string> },
    ];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    expect(response.statusCode).toBe(404);
    expect(response.headers).toMatchObject({
      'content-type': expect.stringContaining('application/problem+json'),
      connection: 'close',
    });
    expect(JSON.parse(Buffer.concat(chunks).toString())).toMatchObject({
      code: 'not-found',
      instance: '/echo/nobody',
      traceId: response.headers['x-request-id'],
    });
    socket.terminate();
  });

  it.each([
    ['without an upgrade', 'connection: close\r\n'],
    ['without a key', HANDSHAKE],
    ['of another version', `${HANDSHAKE.replace('13', '8')}sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n`],
  ])('says what it wants of a request %s', async (_what, fields) => {
    const answer = await answerTo(`GET /echo/ann HTTP/1.1\r\nhost: x\r\n${fields}\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 426 /);
    expect(answer).toContain('"code":"upgrade-required"');
    expect(answer).toMatch(/connection: close/i);
  });

  it('answers with all of it where no route takes it, however much that is', async () => {
    const answer = await answerTo(`GET /large HTTP/1.1\r\nhost: x\r\n${HANDSHAKE}\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    expect(answer.match(/x{65536}/g)).toHaveLength(LARGE_PARTS);
  });

  it('says goodbye when the server stops', async () => {
    const logger = RiveraLogger.create({ app: 'test', destination: { write: () => undefined } });
    @Module({ imports: [PlatformModule.forRoot({ logger })], controllers: [EchoController] })
    class AnotherModule {}
    const another = await NestFactory.create<NestFastifyApplication>(
      AnotherModule,
      await createFastifyAdapter({ bodyLimitBytes: 65_536 }),
      { logger: false },
    );
    await another.listen(0, '127.0.0.1');
    const { port: at } = another.getHttpServer().address() as AddressInfo;
    const [polite, frozen] = [0, 1].map(() => new WebSocket(`ws://127.0.0.1:${at}/echo/ann`)) as [
      WebSocket,
      WebSocket,
    ];
    await Promise.all([once(polite, 'open'), once(frozen, 'open')]);
    frozen.pause();
    const closed = once(polite, 'close');
    await another.close();
    expect((await closed)[0]).toBe(1001);
    frozen.terminate();
  });
});

describe('a request for an upgrade behind others on the same connection', () => {
  const first = 'GET /later HTTP/1.1\r\nhost: x\r\n\r\n';

  it.each([
    ['a WebSocket', `GET /nowhere HTTP/1.1\r\nhost: x\r\n${HANDSHAKE}\r\n`],
    [
      'another protocol',
      'GET /nowhere HTTP/1.1\r\nhost: x\r\nconnection: upgrade, close\r\nupgrade: h2c\r\n\r\n',
    ],
  ])('waits for its turn: %s', async (_what, request) => {
    const answer = await answerTo(first + first + request);
    expect(answer.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 404']);
    expect(answer.match(/"later"/g)).toHaveLength(2);
  });
});

describe('a request for a protocol that is not spoken', () => {
  const upgrade = 'connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n';

  it('is served as if it had not asked, its body included', async () => {
    const body = JSON.stringify({ hello: 'world' });
    const head = `POST /back HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${upgrade}`;
    const whole = `${head}content-length: ${body.length}\r\n\r\n${body}`;
    const next = 'GET /nowhere HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
    for (const parts of [[whole + next], [whole.slice(0, -5), whole.slice(-5), next]]) {
      const answer = await answerTo(...parts);
      expect(answer).toMatch(/^HTTP\/1.1 201 /);
      expect(answer).toContain(body);
      expect(answer).toMatch(/HTTP\/1.1 404 /);
    }
  });
});
