import { basename } from 'node:path/posix';
import type { Container } from '#rivera/garden';
import type { DownloadAction } from '#rivera/models';
import { openArchive } from '../downloader/archive.js';
import type { ArtifactCache, ArtifactRequest } from '../downloader/artifact-cache.js';
import { size } from './duration.js';
import { CANCELLED, failed, messageOf, type Step, type StepLog, SUCCEEDED } from './step.js';
import { untilAborted } from './until-aborted.js';

/** A longer reason is cut (Diego executor). */
const MAX_REASON_BYTES = 1024;

export interface DownloadStepOptions {
  action: DownloadAction;
  container: Container;
  artifacts: ArtifactCache;
  log: StepLog;
  /** What it may unpack to. */
  maxUnpackedBytes: number;
}

/** Fetches an artifact and unpacks it in the container (Diego executor, download step). */
export function downloadStep(options: DownloadStepOptions): Step {
  const { action, container, artifacts, log, maxUnpackedBytes: maxBytes } = options;
  const named = action.artifact ? `${action.artifact} ` : '';
  const fail = (message: string, error?: unknown) => {
    log.error(reason(error === undefined ? message : `${message}: ${messageOf(error)}`));
    return failed(message);
  };
  return {
    async perform(signal, onReady) {
      if (signal.aborted) return CANCELLED;
      onReady();
      if (named) log.out(`Downloading ${action.artifact}...`);
      let artifact;
      try {
        artifact = await artifacts.fetchFile(requestOf(action), signal);
      } catch (error) {
        return signal.aborted ? CANCELLED : fail(`Downloading ${named}failed`, error);
      }
      try {
        const name = basename(new URL(action.from).pathname) || 'file';
        const tar = await openArchive(artifact.path, { name, maxBytes });
        await untilAborted(container.streamIn(action.to, tar, action.user), signal);
      } catch (error) {
        if (signal.aborted) return CANCELLED;
        return fail(`Copying ${named}into the container failed: ${messageOf(error)}`);
      } finally {
        await artifact.release();
      }
      if (named) log.out(`Downloaded ${action.artifact}${sizeOf(artifact.fetchedBytes)}`);
      return SUCCEEDED;
    },
  };
}

export function requestOf(
  source: Pick<DownloadAction, 'from' | 'cacheKey' | 'checksumAlgorithm' | 'checksumValue'>,
): ArtifactRequest {
  const { from, cacheKey, checksumAlgorithm: algorithm, checksumValue: value } = source;
  return {
    url: from,
    ...(cacheKey === undefined ? {} : { cacheKey }),
    ...(algorithm && value ? { checksum: { algorithm, value } } : {}),
  };
}

/** Without one when the copy of this cell was good. */
function sizeOf(fetchedBytes: number): string {
  return fetchedBytes === 0 ? '' : ` (${size(fetchedBytes)})`;
}

function reason(text: string): string {
  if (Buffer.byteLength(text) <= MAX_REASON_BYTES) return text;
  return `${Buffer.from(text).subarray(0, MAX_REASON_BYTES).toString()} (error truncated)`;
}
