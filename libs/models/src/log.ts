/** One line of output of an instance or task. */
export interface LogLine {
  /** When the cell got it, in milliseconds since the Unix epoch. */
  time: number;
  /** Instance guid or task guid: one run. */
  guid: string;
  /** Of an instance. */
  index?: number;
  /** Counts the lines of this run on its cell, from 1. */
  number: number;
  /** Name of the log stream, e.g. `APP`, `HEALTH`, `CELL`. */
  source: string;
  stream: 'out' | 'err';
  text: string;
}

/** So many lines of a run are missing here: they came faster than they were read, and the cell keeps only the newest. */
export interface DroppedLines {
  guid: string;
  index?: number;
  dropped: number;
}

export type LogItem = LogLine | DroppedLines;
