import { X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BindMount } from '#rivera/garden';
import type { RiveraLogger } from '#rivera/platform';
import { messageOf } from '../executor/step.js';
import type { CertificateIssuer, CertificateSubject } from './certificate-issuer.js';

/** Where a program finds them (Diego executor). */
const TARGET = '/etc/cf-instance-credentials';
const FILES = { certificate: 'instance.crt', key: 'instance.key' };
const HOUR_MS = 3_600_000;
const RETRY_MS = 60_000;

export interface InstanceCredentialsOptions {
  /** Has a directory for each container. */
  directory: string;
  /** Absent: instances get no certificates, whether they ask for them or not. */
  issuer?: CertificateIssuer;
  logger: RiveraLogger;
}

/**
 * Certificates of instances and tasks, renewed before they run out (Diego executor, instance identity). The container has
 * their directory mounted, not the files, so that it sees a new pair as soon as that is renamed into its place.
 */
export class InstanceCredentials {
  private readonly timers = new Map<string, NodeJS.Timeout>();

  constructor(private readonly options: InstanceCredentialsOptions) {}

  get areIssued(): boolean {
    return this.options.issuer !== undefined;
  }

  /** What a container needs to see its own. */
  async prepare(guid: string): Promise<{ mounts: BindMount[]; env: string[] }> {
    const source = this.directoryOf(guid);
    await rm(source, { recursive: true, force: true });
    await mkdir(source, { recursive: true, mode: 0o755 });
    return {
      mounts: [{ source, target: TARGET, readOnly: true }],
      env: [`CF_INSTANCE_CERT=${TARGET}/${FILES.certificate}`, `CF_INSTANCE_KEY=${TARGET}/${FILES.key}`],
    };
  }

  /** Writes the first pair, and others until the container is released. */
  async issue(subject: CertificateSubject): Promise<void> {
    const { issuer } = this.options;
    if (issuer === undefined) return;
    const directory = this.directoryOf(subject.guid);
    const { certificate, key } = await issuer.issue(subject);
    // The key first: who sees the new certificate finds its key.
    await replace(join(directory, FILES.key), key);
    await replace(join(directory, FILES.certificate), certificate);
    this.renewAt(subject, Date.now() + renewalOf(issuer.validityMs));
  }

  /** The container was made by an earlier agent: its pair is renewed when it would have been. */
  async resume(subject: CertificateSubject): Promise<void> {
    const { issuer } = this.options;
    if (issuer === undefined) return;
    const pem = await readFile(join(this.directoryOf(subject.guid), FILES.certificate)).catch(
      () => undefined,
    );
    // It was made when certificates were not issued here.
    if (pem === undefined) return;
    const { validTo } = new X509Certificate(pem);
    this.renewAt(subject, Date.parse(validTo) - issuer.validityMs + renewalOf(issuer.validityMs));
  }

  async release(guid: string): Promise<void> {
    clearTimeout(this.timers.get(guid));
    this.timers.delete(guid);
    await rm(this.directoryOf(guid), { recursive: true, force: true });
  }

  private renewAt(subject: CertificateSubject, atMs: number): void {
    clearTimeout(this.timers.get(subject.guid));
    const timer = setTimeout(() => void this.renew(subject), Math.max(0, atMs - Date.now()));
    this.timers.set(subject.guid, timer.unref());
  }

  private async renew(subject: CertificateSubject): Promise<void> {
    const { guid } = subject;
    try {
      await this.issue(subject);
    } catch (error) {
      if (!this.timers.has(guid)) return;
      this.options.logger.warn('failed-to-renew-certificate', { guid, reason: messageOf(error) });
      this.renewAt(subject, Date.now() + RETRY_MS);
    }
  }

  private directoryOf(guid: string): string {
    return join(this.options.directory, encodeURIComponent(guid).replaceAll('.', '%2E'));
  }
}

/** After this part of its life a certificate is replaced (Diego executor). */
export function renewalOf(validityMs: number): number {
  return validityMs > 4 * HOUR_MS ? validityMs - HOUR_MS / 2 : (validityMs * 7) / 8;
}

async function replace(file: string, content: string): Promise<void> {
  await writeFile(`${file}.part`, content, { mode: 0o644 });
  await rename(`${file}.part`, file);
}
