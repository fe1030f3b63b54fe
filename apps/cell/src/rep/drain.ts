import type { CellDrain } from '#rivera/models';
import type { RiveraLogger } from '#rivera/platform';
import type { Rep } from './rep.js';

type Drainable = Pick<Rep, 'close' | 'open' | 'isEmpty' | 'evacuate' | 'abandon' | 'census'>;

/** Pause between two rounds over what is still here. */
const ROUND_MS = 500;
/** After the deadline, what was stopped gets this long to end and to be reported. */
const LAST_STOPS_MS = 30_000;

/**
 * Moves the work off this cell (Diego rep, evacuation). New work is refused; instances ask for a replacement and go on
 * until it runs; tasks go on to their end. At the deadline what is left is stopped.
 */
export class Drain {
  private deadline: number | undefined;
  /** The agent is about to end: no operator calls this off. */
  isLeaving = false;
  private rounds: NodeJS.Timeout | undefined;
  private wasEmpty = false;

  constructor(
    private readonly rep: Drainable,
    private readonly logger: RiveraLogger,
  ) {}

  /** Part of the registration: as long as the agent refuses work, the auctioneer is to pass over the cell. */
  get isDraining(): boolean {
    return this.rounds !== undefined;
  }

  /** What an operator wants now; said with each renewal of the presence. */
  follow(drain: CellDrain | undefined): void {
    if (this.isLeaving) return;
    if (drain === undefined) this.cancel();
    else this.begin(drain.deadline);
  }

  /** Empties the cell because its agent ends. True: nothing is left. */
  async leave(timeoutMs: number): Promise<boolean> {
    this.isLeaving = true;
    const deadline = Date.now() + timeoutMs;
    this.begin(deadline);
    await new Promise<void>((resolve) => {
      const look = setInterval(() => {
        if (!this.rep.isEmpty && Date.now() < deadline + LAST_STOPS_MS) return;
        clearInterval(look);
        resolve();
      }, ROUND_MS / 5);
    });
    clearInterval(this.rounds);
    return this.rep.isEmpty;
  }

  private begin(deadline: number): void {
    this.deadline = deadline;
    if (this.rounds !== undefined) return;
    this.rep.close();
    this.logger.log('draining', { deadline, ...this.rep.census() });
    this.rounds = setInterval(() => this.goRound(), ROUND_MS);
    this.goRound();
  }

  private cancel(): void {
    if (this.rounds === undefined) return;
    clearInterval(this.rounds);
    this.rounds = undefined;
    this.rep.open();
    this.logger.log('drain-cancelled', this.rep.census());
  }

  private goRound(): void {
    if (Date.now() < this.deadline!) this.rep.evacuate();
    else this.rep.abandon();
    const { isEmpty } = this.rep;
    if (isEmpty && !this.wasEmpty) this.logger.log('drained');
    this.wasEmpty = isEmpty;
  }
}
