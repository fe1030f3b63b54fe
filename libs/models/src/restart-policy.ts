import { Optional } from './validation/rule.js';
import { InOrder, IsInteger } from './validation/rules.js';

/** When a crashed instance is started again. Absent fields take Diego's values (see `DIEGO_RESTART_POLICY`). */
@InOrder<RestartPolicy>('baseDelayMs', 'maxDelayMs')
export class RestartPolicy {
  /** Crashes below this count restart at once. */
  @Optional()
  @IsInteger({ min: 0 })
  immediateRestarts?: number;

  /** First delay after the immediate restarts; it doubles with each further crash. */
  @Optional()
  @IsInteger({ min: 0 })
  baseDelayMs?: number;

  /** The delay never grows beyond this. */
  @Optional()
  @IsInteger({ min: 0 })
  maxDelayMs?: number;

  /** At this crash count the instance stays CRASHED until someone retires it. */
  @Optional()
  @IsInteger({ min: 0 })
  maxRestarts?: number;

  /** An instance that ran longer than this starts counting crashes anew. */
  @Optional()
  @IsInteger({ min: 0 })
  resetAfterMs?: number;
}
