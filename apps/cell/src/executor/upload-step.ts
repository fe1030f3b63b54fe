import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Container } from '#rivera/garden';
import { RiveraError, type UploadAction } from '#rivera/models';
import type { Limiter } from './limiter.js';
import { size } from './duration.js';
import { readFirstFile } from './first-file.js';
import {
  CANCELLED,
  failed,
  failedInternally,
  messageOf,
  type Step,
  type StepLog,
  type StepResult,
  SUCCEEDED,
} from './step.js';

const ATTEMPTS = 3;
const REQUEST_MS = 600_000;

export interface UploadStepOptions {
  action: UploadAction;
  container: Container;
  /** Runs uploads, some at a time. */
  uploading: Limiter;
  /** Where the file waits on its way. */
  temporaryDirectory: string;
  /** A larger file is not taken. */
  maxBytes: number;
  log: StepLog;
}

/** A file of the container on this host. */
interface Payload {
  path: string;
  bytes: number;
  md5: string;
  sha256: string;
}

/**
 * Posts a file of the container to a URL (Diego executor, upload step). The URL is neither logged nor reported: it may
 * hold a signature.
 */
export function uploadStep(options: UploadStepOptions): Step {
  return {
    async perform(signal, onReady) {
      if (signal.aborted) return CANCELLED;
      onReady();
      try {
        return await options.uploading(() => new Upload(options, signal).perform(), signal);
      } catch (error) {
        if (signal.aborted) return CANCELLED;
        return failedInternally(messageOf(error));
      }
    },
  };
}

class Upload {
  constructor(
    private readonly options: UploadStepOptions,
    private readonly signal: AbortSignal,
  ) {}

  async perform(): Promise<StepResult> {
    const { action, temporaryDirectory, log } = this.options;
    if (action.artifact) log.out(`Uploading ${action.artifact}...`);
    const directory = await mkdtemp(join(temporaryDirectory, 'upload-')).catch(() => undefined);
    if (directory === undefined) return this.fail('Failed to create temp dir');
    try {
      const payload = await this.copyOut(join(directory, 'payload'));
      if (typeof payload === 'string') return this.fail(payload);
      this.signal.throwIfAborted();
      await this.post(payload);
      if (action.artifact) log.out(`Uploaded ${action.artifact} (${size(payload.bytes)})`);
      return SUCCEEDED;
    } catch (error) {
      if (this.signal.aborted) return CANCELLED;
      log.error('Failed to upload payload');
      return failedInternally(messageOf(error));
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  private fail(what: string): StepResult {
    const { action, log } = this.options;
    const message = action.artifact ? `${what} for ${action.artifact}` : what;
    log.error(message);
    return failed(message);
  }

  /** The file, or what went wrong. */
  private async copyOut(path: string): Promise<Payload | string> {
    const { container, action, maxBytes } = this.options;
    const tar = await container.streamOut(action.from).catch(() => undefined);
    if (tar === undefined) return 'Failed to establish stream from container';
    try {
      const payload = await readFirstFile(tar, ({ size: bytes }, content) => {
        if (bytes > maxBytes) {
          throw new RiveraError('payload-too-large', `The file is larger than ${maxBytes} bytes.`);
        }
        return write(path, content);
      });
      return payload ?? 'Failed to find first item in tar stream';
    } catch {
      return 'Failed to copy stream contents into temp file';
    }
  }

  private async post(payload: Payload): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const response = await fetch(this.options.action.to, {
          method: 'POST',
          headers: {
            'content-type': 'application/octet-stream',
            'content-length': String(payload.bytes),
            'content-md5': payload.md5,
            'content-digest': `sha-256=:${payload.sha256}:`,
          },
          body: Readable.toWeb(createReadStream(payload.path)) as ReadableStream,
          duplex: 'half',
          signal: AbortSignal.any([this.signal, AbortSignal.timeout(REQUEST_MS)]),
        } as RequestInit);
        await response.body?.cancel();
        if (response.status >= 400) throw new Error(`Upload failed: Status code ${response.status}`);
        return;
      } catch (error) {
        if (this.signal.aborted || attempt === ATTEMPTS) throw error;
      }
    }
  }
}

async function write(path: string, content: AsyncIterable<Buffer>): Promise<Payload> {
  const [md5, sha256] = [createHash('md5'), createHash('sha256')];
  const file = await open(path, 'w');
  let bytes = 0;
  try {
    for await (const chunk of content) {
      await file.write(chunk);
      bytes += chunk.length;
      md5.update(chunk);
      sha256.update(chunk);
    }
  } finally {
    await file.close();
  }
  return { path, bytes, md5: md5.digest('base64'), sha256: sha256.digest('base64') };
}
