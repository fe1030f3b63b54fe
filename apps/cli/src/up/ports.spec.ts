import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Ports } from './ports.js';

describe('Ports', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rivera-ports-'));
  const file = join(folder, 'port');
  const servers: Server[] = [];

  async function occupy(port: number): Promise<void> {
    const server = createServer().listen(port, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
  }

  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => once(server.close(), 'close')));
    rmSync(file, { force: true });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('gives no port on which somebody listens', async () => {
    const port = await new Ports().free();
    await occupy(port);
    expect(await new Ports().take(port)).toBe(false);
  });

  it('gives no port twice, though nobody listens on it yet', async () => {
    const ports = new Ports();
    const port = await ports.kept(file);
    expect(await ports.take(port)).toBe(false);
    const others = await Promise.all(Array.from({ length: 50 }, () => ports.free()));
    expect(new Set([port, ...others]).size).toBe(51);
  });

  it.each([0, -1, 1.5, Number.NaN, 70_000])('does not give %d', async (port) => {
    expect(await new Ports().take(port)).toBe(false);
  });

  it('prefers the port it gave at an earlier start, then the preferred one', async () => {
    const preferred = await new Ports().free();
    expect(await new Ports().kept(file, preferred)).toBe(preferred);
    expect(readFileSync(file, 'utf8')).toBe(`${preferred}\n`);
    const other = await new Ports().free();
    expect(await new Ports().kept(file, other)).toBe(preferred);
  });

  it('takes another one when those are taken, and keeps that', async () => {
    const [kept, preferred] = [await new Ports().free(), await new Ports().free()];
    writeFileSync(file, `${kept}\n`);
    await occupy(kept);
    if (preferred !== kept) await occupy(preferred);
    const port = await new Ports().kept(file, preferred);
    expect([kept, preferred]).not.toContain(port);
    expect(await new Ports().kept(file)).toBe(port);
  });

  it('survives a file without a number', async () => {
    writeFileSync(file, 'nonsense');
    expect(await new Ports().kept(file)).toBeGreaterThan(0);
  });
});
