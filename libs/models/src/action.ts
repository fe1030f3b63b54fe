import { EnvironmentVariable, File } from './container-parts.js';
import { IsChecksumAlgorithm, IsFlag, IsInteger, IsLabel, IsName, IsPart } from './validation/rules.js';
import { ExactlyOneOf, IsPartList, IsPath, IsText, IsTextList, IsUrl, Together } from './validation/rules.js';
import { FilesFit } from './validation/spec-rules.js';
import { LIMITS } from './validation/limits.js';
import { Optional } from './validation/rule.js';

/** Keeps the decorator metadata of a class from naming one that is declared further down. */
type Later<T> = T;

/** Limits of one process. `nproc` is accepted for compatibility and has no effect (deprecated by Diego). */
export class ResourceLimits {
  @Optional()
  @IsInteger({ min: 0 })
  nofile?: number;

  @Optional()
  @IsInteger({ min: 0 })
  nproc?: number;
}

/** Run a process. Succeeds when it exits 0. */
export class RunAction {
  /** Executable: absolute, or looked up on the container's PATH. */
  @IsPath()
  path: string;

  @Optional()
  @IsTextList({ max: LIMITS.argumentBytes }, { max: LIMITS.args })
  args?: string[];

  /** Working directory; the user's home when absent. */
  @Optional()
  @IsText({ max: LIMITS.pathBytes })
  dir?: string;

  @Optional()
  @IsPartList(() => EnvironmentVariable, { max: LIMITS.environmentVariables })
  env?: EnvironmentVariable[];

  @Optional()
  @IsPart(() => ResourceLimits)
  resourceLimits?: ResourceLimits;

  /** User name or `uid[:gid]` inside the container. */
  @IsName()
  user: string;

  @Optional()
  @IsLabel()
  logSource?: string;

  @Optional()
  @IsFlag()
  suppressLogOutput?: boolean;

  @Optional()
  @IsPartList(() => File, { max: LIMITS.volumeMountedFiles })
  @FilesFit()
  volumeMountedFiles?: File[];
}

/** Fetch an archive or file by HTTP and unpack it into the container. */
@Together<DownloadAction>('checksumAlgorithm', 'checksumValue')
export class DownloadAction {
  @Optional()
  @IsLabel()
  artifact?: string;

  @IsUrl()
  from: string;

  @IsPath()
  to: string;

  @Optional()
  @IsText({ max: LIMITS.urlBytes })
  cacheKey?: string;

  @Optional()
  @IsLabel()
  logSource?: string;

  @IsName()
  user: string;

  @Optional()
  @IsChecksumAlgorithm()
  checksumAlgorithm?: string;

  @Optional()
  @IsName()
  checksumValue?: string;
}

/** POST a file of the container to a URL. */
export class UploadAction {
  @Optional()
  @IsLabel()
  artifact?: string;

  @IsPath()
  from: string;

  @IsUrl()
  to: string;

  @Optional()
  @IsLabel()
  logSource?: string;

  @IsName()
  user: string;
}

/** Interrupt the inner action when it takes longer than `timeoutMs`. */
export class TimeoutAction {
  @IsPart(() => Action)
  action: Later<Action>;

  @IsInteger({ min: 1 })
  timeoutMs: number;

  @Optional()
  @IsLabel()
  logSource?: string;
}

/** Log lines before and after the inner action. */
export class EmitProgressAction {
  @IsPart(() => Action)
  action: Later<Action>;

  @Optional()
  @IsText({ max: LIMITS.textBytes })
  startMessage?: string;

  @Optional()
  @IsText({ max: LIMITS.textBytes })
  successMessage?: string;

  @Optional()
  @IsText({ max: LIMITS.textBytes })
  failureMessagePrefix?: string;

  @Optional()
  @IsLabel()
  logSource?: string;
}

/** Run the inner action and succeed whatever it does. */
export class TryAction {
  @IsPart(() => Action)
  action: Later<Action>;

  @Optional()
  @IsLabel()
  logSource?: string;
}

/** Run all, wait for all, fail when any failed. */
export class ParallelAction {
  @IsPartList(() => Action, { min: 1, max: LIMITS.actions })
  actions: Action[];

  @Optional()
  @IsLabel()
  logSource?: string;
}

/** Run one after the other, stop at the first failure. */
export class SerialAction {
  @IsPartList(() => Action, { min: 1, max: LIMITS.actions })
  actions: Action[];

  @Optional()
  @IsLabel()
  logSource?: string;
}

/** Run all; when any ends, even with success, interrupt the others and fail. */
export class CodependentAction {
  @IsPartList(() => Action, { min: 1, max: LIMITS.actions })
  actions: Action[];

  @Optional()
  @IsLabel()
  logSource?: string;
}

/** What to do in a container: exactly one member is set (Diego BBS, Action). */
@ExactlyOneOf<Action>(
  'download',
  'upload',
  'run',
  'timeout',
  'emitProgress',
  'try',
  'parallel',
  'serial',
  'codependent',
)
export class Action {
  @Optional()
  @IsPart(() => DownloadAction)
  download?: DownloadAction;

  @Optional()
  @IsPart(() => UploadAction)
  upload?: UploadAction;

  @Optional()
  @IsPart(() => RunAction)
  run?: RunAction;

  @Optional()
  @IsPart(() => TimeoutAction)
  timeout?: TimeoutAction;

  @Optional()
  @IsPart(() => EmitProgressAction)
  emitProgress?: EmitProgressAction;

  @Optional()
  @IsPart(() => TryAction)
  try?: TryAction;

  @Optional()
  @IsPart(() => ParallelAction)
  parallel?: ParallelAction;

  @Optional()
  @IsPart(() => SerialAction)
  serial?: SerialAction;

  @Optional()
  @IsPart(() => CodependentAction)
  codependent?: CodependentAction;
}
