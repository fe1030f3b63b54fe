import type { EnvironmentVariable, File } from './container-parts.js';

/** Limits of one process. `nproc` is accepted for compatibility and has no effect (deprecated by Diego). */
export class ResourceLimits {
  nofile?: number;
  nproc?: number;
}

/** Run a process. Succeeds when it exits 0. */
export class RunAction {
  /** Executable: absolute, or looked up on the container's PATH. */
  path: string;
  args?: string[];
  /** Working directory; the user's home when absent. */
  dir?: string;
  env?: EnvironmentVariable[];
  resourceLimits?: ResourceLimits;
  /** User name or `uid[:gid]` inside the container. */
  user: string;
  logSource?: string;
  suppressLogOutput?: boolean;
  volumeMountedFiles?: File[];
}

/** Fetch an archive or file by HTTP and unpack it into the container. */
export class DownloadAction {
  artifact?: string;
  from: string;
  to: string;
  cacheKey?: string;
  logSource?: string;
  user: string;
  checksumAlgorithm?: string;
  checksumValue?: string;
}

/** POST a file of the container to a URL. */
export class UploadAction {
  artifact?: string;
  from: string;
  to: string;
  logSource?: string;
  user: string;
}

/** Interrupt the inner action when it takes longer than `timeoutMs`. */
export class TimeoutAction {
  action: Action;
  timeoutMs: number;
  logSource?: string;
}

/** Log lines before and after the inner action. */
export class EmitProgressAction {
  action: Action;
  startMessage?: string;
  successMessage?: string;
  failureMessagePrefix?: string;
  logSource?: string;
}

/** Run the inner action and succeed whatever it does. */
export class TryAction {
  action: Action;
  logSource?: string;
}

/** Run all, wait for all, fail when any failed. */
export class ParallelAction {
  actions: Action[];
  logSource?: string;
}

/** Run one after the other, stop at the first failure. */
export class SerialAction {
  actions: Action[];
  logSource?: string;
}

/** Run all; when any ends, even with success, interrupt the others and fail. */
export class CodependentAction {
  actions: Action[];
  logSource?: string;
}

/** What to do in a container: exactly one member is set (Diego BBS, Action). */
export class Action {
  download?: DownloadAction;
  upload?: UploadAction;
  run?: RunAction;
  timeout?: TimeoutAction;
  emitProgress?: EmitProgressAction;
  try?: TryAction;
  parallel?: ParallelAction;
  serial?: SerialAction;
  codependent?: CodependentAction;
}
