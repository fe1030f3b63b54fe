import type { ExecRequest } from './exec.js';

/**
 * What a bbs wants of a cell in a session. `guid` and `guids` are instance guids or task guids; the cell answers with
 * `not-found` for one it does not have.
 */
export type SessionRequest =
  /** The lines of these runs: NDJSON of `LogItem`s on stdout. `arePast`: none of them is only about to begin. */
  | ({ kind: 'logs'; guids: string[]; arePast?: boolean } & LogOptions)
  /** What these use, or all when absent: JSON of `ContainerStats[]` on stdout. */
  | { kind: 'stats'; guids?: string[] }
  /** A further process in the container: its streams on stdin, stdout and stderr. */
  | { kind: 'exec'; guid: string; exec: ExecRequest }
  /** A tar stream on stdin, unpacked below `path` as `user`. */
  | { kind: 'stream-in'; guid: string; path: string; user?: string }
  /** A tar stream of the file or directory at `path` on stdout. */
  | { kind: 'stream-out'; guid: string; path: string };

/** Which lines of a log. */
export interface LogOptions {
  /** Go on with what comes. */
  follow?: boolean;
  /** Of what there is, only the last so many of each run; absent: all. */
  tail?: number;
  /** Only lines from this moment on, in milliseconds since the Unix epoch. */
  since?: number;
}
