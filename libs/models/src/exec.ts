import { EnvironmentVariable } from './container-parts.js';
import { LIMITS } from './validation/limits.js';
import { Optional } from './validation/rule.js';
import {
  IsFlag,
  IsInteger,
  IsName,
  IsPart,
  IsPartList,
  IsPath,
  IsText,
  IsTextList,
} from './validation/rules.js';

const MAX_WINDOW = 65_535;

/** Of a terminal, in characters. */
export class WindowSize {
  @IsInteger({ min: 1, max: MAX_WINDOW })
  columns: number;

  @IsInteger({ min: 1, max: MAX_WINDOW })
  rows: number;
}

/** A further process that a client wants in the container of an instance. */
export class ExecRequest {
  /** Executable: absolute, or looked up on the container's PATH. */
  @IsPath()
  path: string;

  @Optional()
  @IsTextList({ max: LIMITS.argumentBytes }, { max: LIMITS.args })
  args?: string[];

  /** Beside what the instance's own process has; these win. */
  @Optional()
  @IsPartList(() => EnvironmentVariable, { max: LIMITS.environmentVariables })
  env?: EnvironmentVariable[];

  /** Working directory; that of the instance's own process when absent. */
  @Optional()
  @IsText({ max: LIMITS.pathBytes })
  dir?: string;

  /** User name or `uid[:gid]` inside the container; that of the instance's own process when absent. */
  @Optional()
  @IsName()
  user?: string;

  /** Give it a terminal of this size; its two output streams become one. */
  @Optional()
  @IsPart(() => WindowSize)
  tty?: WindowSize;

  /** It gets what the client sends as input; otherwise it reads an end of file. */
  @Optional()
  @IsFlag()
  stdin?: boolean;
}
