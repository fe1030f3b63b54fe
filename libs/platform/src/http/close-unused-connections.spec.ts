import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

import { closeUnusedConnections } from './close-unused-connections.js';

describe('closeUnusedConnections', () => {
  let server: Server;
  let stopping: () => void;
  const answers: ServerResponse[] = [];
  beforeEach(async () => {
    server = createServer((_, response) => void answers.push(response));
    stopping = closeUnusedConnections(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  const port = (): number => (server.address() as AddressInfo).port;

  async function open(): Promise<Socket> {
    const socket = connect(port(), '127.0.0.1');
    await Promise.all([once(server, 'connection'), once(socket, 'connect')]);
    return socket;
  }

  it('ends connections that were never used, and lets a request under way finish', async () => {
    const unused = await open();
    const outgoing = request({ port: port(), agent: false }).end();
    await once(server, 'request');
    stopping();
    const closed = once(server, 'close');
    server.close();
    await once(unused, 'close');
    answers.pop()?.end('done');
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    expect(incoming.statusCode).toBe(200);
    incoming.resume();
    await closed;
  });

  it('ends connections that come while it stops', async () => {
    stopping();
    const late = await open();
    await once(late, 'close');
    server.close();
  });
});
