import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** PEM files and what is in them. */
export interface Certificate {
  certFile: string;
  keyFile: string;
  cert: Buffer;
  key: Buffer;
}

/** An authority of a test, made by `openssl`, with RSA keys as Diego's parts have them. */
export class Authority {
  private constructor(
    private readonly directory: string,
    readonly caFile: string,
    readonly ca: Buffer,
  ) {}

  static async make(): Promise<Authority> {
    const directory = await mkdtemp(join(tmpdir(), 'rivera-certificates-'));
    const caFile = join(directory, 'ca.crt');
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=authority'];
    await run('openssl', [...request, '-keyout', join(directory, 'ca.key'), '-out', caFile]);
    return new Authority(directory, caFile, await readFile(caFile));
  }

  get keyFile(): string {
    return join(this.directory, 'ca.key');
  }

  /** For a server at 127.0.0.1, or for a client. */
  async issue(name: string): Promise<Certificate> {
    const file = (suffix: string) => join(this.directory, `${name}.${suffix}`);
    const request = ['req', '-newkey', 'rsa:2048', '-nodes', '-subj', `/CN=${name}`];
    await run('openssl', [...request, '-keyout', file('key'), '-out', file('csr')]);
    await writeFile(file('ext'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
    const authority = ['-CA', this.caFile, '-CAkey', join(this.directory, 'ca.key'), '-CAcreateserial'];
    const signing = ['x509', '-req', '-in', file('csr'), '-days', '1', '-extfile', file('ext')];
    await run('openssl', [...signing, ...authority, '-out', file('crt')]);
    const [cert, key] = await Promise.all([readFile(file('crt')), readFile(file('key'))]);
    return { certFile: file('crt'), keyFile: file('key'), cert, key };
  }

  remove(): Promise<void> {
    return rm(this.directory, { recursive: true, force: true });
  }
}
