import { LIMITS } from './validation/limits.js';
import { Optional } from './validation/rule.js';
import { ExactlyOneOf, IsInteger, IsLabel, IsPart, IsPartList, IsPort, IsText } from './validation/rules.js';

export class TcpCheck {
  @IsPort()
  port: number;

  @Optional()
  @IsInteger({ min: 0 })
  connectTimeoutMs?: number;

  @Optional()
  @IsInteger({ min: 0 })
  intervalMs?: number;
}

export class HttpCheck {
  @IsPort()
  port: number;

  @Optional()
  @IsText({ max: LIMITS.urlBytes })
  path?: string;

  @Optional()
  @IsInteger({ min: 0 })
  requestTimeoutMs?: number;

  @Optional()
  @IsInteger({ min: 0 })
  intervalMs?: number;
}

/** Exactly one of the two. */
@ExactlyOneOf<Check>('tcpCheck', 'httpCheck')
export class Check {
  @Optional()
  @IsPart(() => TcpCheck)
  tcpCheck?: TcpCheck;

  @Optional()
  @IsPart(() => HttpCheck)
  httpCheck?: HttpCheck;
}

/** Declarative health checks; they win over a `monitor` action when both are present. */
export class CheckDefinition {
  /** Start-up and liveness: the instance is RUNNING once all pass, and crashes when one fails later. */
  @Optional()
  @IsPartList(() => Check, { max: LIMITS.checks })
  checks?: Check[];

  /** Readiness drives `routable` and never restarts the instance. */
  @Optional()
  @IsPartList(() => Check, { max: LIMITS.checks })
  readinessChecks?: Check[];

  @Optional()
  @IsLabel()
  logSource?: string;
}
