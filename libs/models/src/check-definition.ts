export class TcpCheck {
  port: number;
  connectTimeoutMs?: number;
  intervalMs?: number;
}

export class HttpCheck {
  port: number;
  path?: string;
  requestTimeoutMs?: number;
  intervalMs?: number;
}

/** Exactly one of the two. */
export class Check {
  tcpCheck?: TcpCheck;
  httpCheck?: HttpCheck;
}

/** Declarative health checks; they win over a `monitor` action when both are present. */
export class CheckDefinition {
  /** Start-up and liveness: the instance is RUNNING once all pass, and crashes when one fails later. */
  checks?: Check[];
  /** Readiness drives `routable` and never restarts the instance. */
  readinessChecks?: Check[];
  logSource?: string;
}
