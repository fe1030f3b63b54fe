import { setFlagsFromString } from 'node:v8';

const LOOK_MS = 5_000;
const QUIET_MS = 10_000;
/** V8 gives the pages that one run has emptied back in the runs after it. */
const RUNS = 3;

/** @param isFirst since the work of the cell has changed */
type Collect = (isFirst: boolean) => unknown;

export interface QuietCollectionOptions {
  /** Something that differs when the work of the cell has changed. */
  state: () => string;
  /** Absent where Node was started without `--expose-gc`: then nothing is done. */
  collect?: Collect;
  lookMs?: number;
  quietMs?: number;
  now?: () => number;
}

/** Absent where Node was started without `--expose-gc`. */
export const thoroughCollection: Collect | undefined = globalThis.gc && collectThoroughly;

/**
 * The first run of several also moves what is left together, which takes three times as long and is for quiet times only,
 * because everything waits for it. The others find little to move.
 */
function collectThoroughly(isFirst: boolean): void {
  if (isFirst) setFlagsFromString('--compact-on-every-full-gc');
  globalThis.gc?.();
  if (isFirst) setFlagsFromString('--no-compact-on-every-full-gc');
}

/**
 * Gives back the memory that starting containers took. An agent that only watches allocates so little that the garbage
 * collector does not run for hours by itself; a run takes some tens of milliseconds, so it waits until nothing happens.
 */
export class QuietCollection {
  private timer: NodeJS.Timeout | undefined;
  private seen: string | undefined;
  private changedAt = 0;
  private runsDue = 0;

  constructor(private readonly options: QuietCollectionOptions) {}

  start(): void {
    if (this.options.collect === undefined) return;
    this.timer = setInterval(() => this.look(), this.options.lookMs ?? LOOK_MS).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** A few times for each change, when it was quiet since. */
  look(): void {
    const { state, collect, quietMs = QUIET_MS, now = () => performance.now() } = this.options;
    const found = state();
    if (found !== this.seen) {
      this.seen = found;
      this.changedAt = now();
      this.runsDue = RUNS;
    } else if (this.runsDue > 0 && now() - this.changedAt >= quietMs) {
      collect?.(this.runsDue === RUNS);
      this.runsDue -= 1;
    }
  }
}
