import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A socket that leads to a Docker Engine, and that can be cut: as if the engine were down, for those who use it. */
export class EngineProxy {
  private readonly sockets = new Set<Socket>();
  private server: Server | undefined;

  private constructor(
    private readonly enginePath: string,
    private readonly directory: string,
  ) {}

  static async start(dockerHost: string): Promise<EngineProxy> {
    const directory = await mkdtemp(join(tmpdir(), 'rivera-proxy-'));
    const proxy = new EngineProxy(new URL(dockerHost).pathname, directory);
    await proxy.restore();
    return proxy;
  }

  get dockerHost(): string {
    return `unix://${this.path}`;
  }

  /** Nothing gets through, and what was under way breaks off. */
  async cut(): Promise<void> {
    const { server } = this;
    if (server === undefined) return;
    this.server = undefined;
    server.close();
    for (const socket of this.sockets) socket.destroy();
    await once(server, 'close');
  }

  async restore(): Promise<void> {
    await rm(this.path, { force: true });
    this.server = createServer({ allowHalfOpen: true }, (client) => {
      const engine = connect({ path: this.enginePath, allowHalfOpen: true });
      for (const [socket, other] of [
        [client, engine],
        [engine, client],
      ] as const) {
        this.sockets.add(socket);
        socket.pipe(other);
        socket.on('error', () => undefined);
        socket.once('close', () => {
          this.sockets.delete(socket);
          // The client may still have to read what the engine has said.
          if (other === client) client.end();
          else engine.destroy();
        });
      }
    });
    this.server.listen(this.path);
    await once(this.server, 'listening');
  }

  async close(): Promise<void> {
    await this.cut();
    await rm(this.directory, { recursive: true, force: true });
  }

  private get path(): string {
    return join(this.directory, 'docker.sock');
  }
}
