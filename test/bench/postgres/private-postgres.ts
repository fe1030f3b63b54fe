import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../support/redis.js';
import { cpuUsOfFamily } from '../cpu.js';

const BIN = '/usr/lib/postgresql/15/bin';
const run = promisify(execFile);

export const hasPostgres = (): boolean => existsSync(join(BIN, 'postgres'));

/** A PostgreSQL of its own, as it comes: each transaction is on disk before it is answered. */
export class PrivatePostgres {
  private constructor(
    private readonly dir: string,
    private readonly port: number,
    private readonly owner: { uid?: number; gid?: number },
  ) {}

  /** @param schema statements that make its tables */
  static async start(schema: string): Promise<PrivatePostgres> {
    const dir = await mkdtemp(join(tmpdir(), 'rivera-postgres-'));
    const owner = await ownerOf();
    if (owner.uid !== undefined) await chown(dir, owner.uid, owner.gid ?? owner.uid);
    const data = join(dir, 'data');
    const port = await freePort();
    const postgres = new PrivatePostgres(dir, port, owner);
    try {
      await postgres.command('initdb', '-D', data, '-A', 'trust', '-U', 'postgres');
      const options = `-p ${port} -k ${dir} -c listen_addresses=127.0.0.1`;
      await postgres.command('pg_ctl', '-D', data, '-w', '-l', join(dir, 'log'), '-o', options, 'start');
      await postgres.command('psql', ...postgres.address, '-q', '-v', 'ON_ERROR_STOP=1', '-c', schema);
      return postgres;
    } catch (error) {
      await postgres.stop();
      throw error;
    }
  }

  /**
   * So many callers call a script of pgbench so many times each. Answers the processor time that all of PostgreSQL took, in
   * microseconds, with the making of their connections.
   *
   * @param base what the script has to number from
   */
  async call(script: string, { callers, times, base }: { callers: number; times: number; base: number }) {
    const file = join(this.dir, 'script.sql');
    await writeFile(file, script);
    await chmod(file, 0o644);
    const before = await this.cpuUs();
    const { stdout, stderr } = await this.command(
      'pgbench',
      ...this.address,
      '-n',
      '--protocol=extended',
      '--jobs=1',
      `--client=${callers}`,
      `--transactions=${times}`,
      '--define=n=0',
      `--define=base=${base}`,
      `--file=${file}`,
    );
    const all = callers * times;
    if (!stdout.includes(`actually processed: ${all}/${all}`)) throw new Error(`${stdout}\n${stderr}`);
    return (await this.cpuUs()) - before;
  }

  async stop(): Promise<void> {
    const isRunning = existsSync(join(this.dir, 'data', 'postmaster.pid'));
    if (isRunning) await this.command('pg_ctl', '-D', join(this.dir, 'data'), '-m', 'immediate', 'stop');
    await rm(this.dir, { recursive: true, force: true });
  }

  private get address(): string[] {
    return ['-h', '127.0.0.1', '-p', `${this.port}`, '-U', 'postgres'];
  }

  private command(name: string, ...args: string[]) {
    return run(join(BIN, name), args, { ...this.owner, cwd: this.dir });
  }

  private async cpuUs(): Promise<number> {
    const [first] = (await readFile(join(this.dir, 'data', 'postmaster.pid'), 'utf8')).split('\n');
    return cpuUsOfFamily(Number(first));
  }
}

/** PostgreSQL refuses to run as root. */
async function ownerOf(): Promise<{ uid?: number; gid?: number }> {
  if (process.getuid?.() !== 0) return {};
  const id = async (flag: string) => Number((await run('id', [flag, 'postgres'])).stdout);
  return { uid: await id('-u'), gid: await id('-g') };
}
