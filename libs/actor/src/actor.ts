import { RiveraError } from '#rivera/models';

/**
 * What a supervisor decides when a handler threw (Akka's words). `resume`: drop the message, go on. `restart`: as
 * resume, with a fresh behavior and no timers. `stop`: end this actor. `escalate`: end it and tell the parent.
 */
export type Directive = 'resume' | 'restart' | 'stop' | 'escalate';

export interface Failure<Message> {
  actor: string;
  error: unknown;
  /** Absent when the actor failed while it restarted or stopped. */
  message?: Message;
}

export interface Behavior<Message> {
  receive(message: Message): void | Promise<void>;
  /** Cleans up, after the last message and before a restart. */
  postStop?(): void | Promise<void>;
}

export interface ActorOptions<Message> {
  name: string;
  /** Makes a fresh behavior: when the actor is made and at every restart. */
  behavior: (self: Actor<Message>) => Behavior<Message>;
  supervisor: {
    decide(failure: Failure<Message>): Directive;
    /** The actor has ended by a failure that is the parent's to deal with. Must not throw. */
    escalated(failure: Failure<Message>): void;
  };
  /** Told of messages an ended actor did not handle. */
  onDeadLetter?: (message: Message) => void;
  /** The most messages that may wait (default 1000). */
  capacity?: number;
}

interface Timer<Message> {
  key: string;
  message: Message;
  isPeriodic: boolean;
  isQueued: boolean;
  handle?: NodeJS.Timeout;
}

/**
 * A serial mailbox in memory, for the children of an actor.
 *
 * Delivery contract: at most once, in the order told, one at a time: the promise of a handler is awaited before the next
 * message. Bounded: `tell` throws `too-many-requests` when the mailbox is full, and returns false (dead letter) when the
 * actor has ended. An exception never leaves the actor; it goes to the supervisor.
 */
export class Actor<Message> {
  readonly name: string;
  private readonly capacity: number;
  private behavior: Behavior<Message>;
  private queue: { message: Message; timer?: Timer<Message> }[] = [];
  private readonly timers = new Map<string, Timer<Message>>();
  private isRunning = false;
  private isStopping = false;
  private hasEnded: () => void;
  /** Resolves when the actor has ended, for whatever reason. */
  readonly ended = new Promise<void>((resolve) => (this.hasEnded = resolve));

  constructor(private readonly options: ActorOptions<Message>) {
    this.name = options.name;
    this.capacity = options.capacity ?? 1_000;
    this.behavior = options.behavior(this);
  }

  tell(message: Message): boolean {
    if (this.isStopping) {
      this.options.onDeadLetter?.(message);
      return false;
    }
    if (this.queue.length >= this.capacity) {
      throw new RiveraError(
        'too-many-requests',
        `The mailbox of actor "${this.name}" is full (${this.capacity} messages wait); tell it later.`,
      );
    }
    this.enqueue({ message });
    return true;
  }

  /** Tells itself `message` once, after `delayMs`; replaces the timer of the same key, also if it has just fired. */
  startSingleTimer(key: string, message: Message, delayMs: number): void {
    this.startTimer({ key, message, isPeriodic: false, isQueued: false }, delayMs);
  }

  /** Tells itself `message` every `intervalMs`; a tick that finds the last one still waiting is left out. */
  startPeriodicTimer(key: string, message: Message, intervalMs: number): void {
    this.startTimer({ key, message, isPeriodic: true, isQueued: false }, intervalMs);
  }

  /** After this its message does not arrive any more, even if it already waited. */
  cancelTimer(key: string): void {
    clearTimeout(this.timers.get(key)?.handle);
    this.timers.delete(key);
  }

  /** Ends the actor after the running message; waiting ones are dead letters. Do not await it in a handler. */
  async stop(): Promise<void> {
    this.beginStop();
    await this.ended;
  }

  private beginStop(): void {
    if (this.isStopping) return;
    this.isStopping = true;
    this.cancelTimers();
    void this.run();
  }

  private startTimer(timer: Timer<Message>, ms: number): void {
    this.cancelTimer(timer.key);
    if (this.isStopping) return;
    const fire = (): void => {
      if (timer.isQueued) return;
      timer.isQueued = true;
      this.enqueue({ message: timer.message, timer });
    };
    timer.handle = timer.isPeriodic ? setInterval(fire, ms) : setTimeout(fire, ms);
    this.timers.set(timer.key, timer);
  }

  private cancelTimers(): void {
    for (const key of this.timers.keys()) this.cancelTimer(key);
  }

  private enqueue(item: { message: Message; timer?: Timer<Message> }): void {
    this.queue.push(item);
    void this.run();
  }

  private async run(): Promise<void> {
    if (this.isRunning) return;
    this.isRunning = true;
    // So that `tell` always returns before its message is handled.
    await Promise.resolve();
    while (!this.isStopping) {
      const next = this.queue.shift();
      if (!next) break;
      if (!next.timer || this.isDue(next.timer)) await this.deliver(next.message);
    }
    this.isRunning = false;
    if (this.isStopping) await this.end();
  }

  private isDue(timer: Timer<Message>): boolean {
    if (this.timers.get(timer.key) !== timer) return false;
    timer.isQueued = false;
    if (!timer.isPeriodic) this.timers.delete(timer.key);
    return true;
  }

  private async deliver(message: Message): Promise<void> {
    try {
      await this.behavior.receive(message);
    } catch (error) {
      await this.supervise({ actor: this.name, error, message });
    }
  }

  private async supervise(failure: Failure<Message>): Promise<void> {
    try {
      const directive = this.options.supervisor.decide(failure);
      if (directive === 'restart' && !this.isStopping) await this.restart();
      if (directive === 'stop') this.beginStop();
      if (directive === 'escalate') this.escalate(failure);
    } catch (error) {
      this.escalate({ actor: this.name, error });
    }
  }

  private async restart(): Promise<void> {
    this.cancelTimers();
    await this.behavior.postStop?.();
    this.behavior = this.options.behavior(this);
  }

  private escalate(failure: Failure<Message>): void {
    this.beginStop();
    this.options.supervisor.escalated(failure);
  }

  private async end(): Promise<void> {
    this.isRunning = true;
    const left = this.queue.filter(({ timer }) => !timer);
    this.queue = [];
    try {
      await this.behavior.postStop?.();
    } catch (error) {
      this.options.supervisor.escalated({ actor: this.name, error });
    }
    for (const { message } of left) this.options.onDeadLetter?.(message);
    this.hasEnded();
  }
}
