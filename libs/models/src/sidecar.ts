import { Action } from './action.js';
import { Optional } from './validation/rule.js';
import { IsInteger, IsPart } from './validation/rules.js';
import { IsShallowAction } from './validation/spec-rules.js';

/** A process beside the main action; when any of them ends the instance ends. */
export class Sidecar {
  @IsPart(() => Action)
  @IsShallowAction()
  action: Action;

  @Optional()
  @IsInteger({ min: 0 })
  diskMb?: number;

  @Optional()
  @IsInteger({ min: 0 })
  memoryMb?: number;
}
