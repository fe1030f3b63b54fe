/** Whose lines they are. */
export interface LogOrigin {
  kind: 'lrp' | 'task';
  /** Instance guid or task guid. */
  guid: string;
  /** Of an LRP. */
  processGuid?: string;
  /** Of an LRP. */
  index?: number;
  /** What the client wants the lines to be found by. */
  logGuid?: string;
  metricTags?: Record<string, string>;
}

/** One line, as it is handed on: never empty, without its line end, at most 61 440 bytes of UTF-8. */
export interface LogLine {
  /** Name of the log stream, e.g. `APP`, `HEALTH`, `CELL`. */
  source: string;
  stream: 'out' | 'err';
  text: string;
  /** Milliseconds since the Unix epoch. */
  timestampMs: number;
}

/** The lines of one instance or task. */
export interface InstanceLog {
  /** Called for each line, in order. Must not block, throw or keep the program waiting: what is too much is dropped. */
  append(line: LogLine): void;
  /** There will be no more. */
  close(): void;
}

/**
 * Where the output of all instances and tasks of a cell goes. Everything a container says passes through here once, cut
 * into lines and held to its rate limit: the output of its processes and what the cell says about it.
 */
export interface LogSink {
  open(origin: LogOrigin): InstanceLog;
}
