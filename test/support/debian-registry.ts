import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { stablePorts } from './ports.js';
import { waitFor } from './wait-for.js';

/** The registry Docker ships, as Debian packages it (docker-registry). */
export interface DebianRegistry {
  /** `127.0.0.1:<port>`, which engines accept without TLS. */
  readonly address: string;
  close(): Promise<void>;
}

export async function hasDebianRegistry(): Promise<boolean> {
  const places = (process.env.PATH ?? '').split(delimiter);
  const tries = places.map((place) => access(join(place, 'docker-registry')));
  return (await Promise.allSettled(tries)).some(({ status }) => status === 'fulfilled');
}

export async function startDebianRegistry(): Promise<DebianRegistry> {
  const directory = await mkdtemp(join(tmpdir(), 'rivera-registry-'));
  const [port] = await stablePorts(1);
  const address = `127.0.0.1:${port}`;
  const config = {
    version: 0.1,
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: directory } },
    http: { addr: address },
  };
  // YAML understands JSON.
  await writeFile(join(directory, 'config.yml'), JSON.stringify(config));
  const registry = spawn('docker-registry', ['serve', join(directory, 'config.yml')], { stdio: 'ignore' });
  const close = async (): Promise<void> => {
    const gone = once(registry, 'exit');
    registry.kill('SIGTERM');
    await gone;
    await rm(directory, { recursive: true, force: true });
  };
  await waitFor(async () => (await fetch(`http://${address}/v2/`)).status, {
    what: 'the registry answers',
    until: (status) => status === 200,
  });
  return { address, close };
}
