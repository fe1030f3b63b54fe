import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort, freePorts, isFree, keptPort } from './ports.js';

describe('ports', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rivera-ports-'));
  const file = join(folder, 'port');
  const servers: Server[] = [];

  async function occupy(port: number): Promise<void> {
    const server = createServer().listen(port, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
  }

  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
    rmSync(file, { force: true });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('knows what is free', async () => {
    const port = await freePort();
    expect(await isFree(port)).toBe(true);
    await occupy(port);
    expect(await isFree(port)).toBe(false);
    expect(await isFree(70_000)).toBe(false);
  });

  it('gives different ones', async () => {
    expect(new Set(await freePorts(20)).size).toBe(20);
  });

  it('prefers the port it gave before, then the preferred one', async () => {
    const preferred = await freePort();
    expect(await keptPort(file, preferred)).toBe(preferred);
    expect(readFileSync(file, 'utf8')).toBe(`${preferred}\n`);
    const other = await freePort();
    expect(await keptPort(file, other)).toBe(preferred);
  });

  it('takes another one when those are taken, and keeps that', async () => {
    const [kept = 0, preferred = 0] = await freePorts(2);
    writeFileSync(file, `${kept}\n`);
    await Promise.all([occupy(kept), occupy(preferred)]);
    const port = await keptPort(file, preferred);
    expect([kept, preferred]).not.toContain(port);
    expect(await keptPort(file)).toBe(port);
  });

  it('survives a file without a number', async () => {
    writeFileSync(file, 'nonsense');
    expect(await keptPort(file)).toBeGreaterThan(0);
  });
});
