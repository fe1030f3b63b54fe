import { setTimeout as sleep } from 'node:timers/promises';
import { Actor, type Behavior } from '#rivera/actor';
import type { Container, Garden } from '#rivera/garden';
import { type ActualLRPKey, type HeldResources, RiveraError } from '#rivera/models';
import type { RiveraLogger } from '#rivera/platform';
import type { ProcessDefaults } from '../exec/instances.js';
import { CANCELLED, failed, messageOf, type Step, type StepResult } from '../executor/step.js';
import { type ContainerState, requireTransition } from './container-state.js';
import { shortened } from './failure-reason.js';
import type { Limiter } from '../executor/limiter.js';

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 30_000;

/**
 * What became of asking to leave a cell that drains: let go of it, its replacement is on the way, or it is to go on for
 * now and ask again.
 */
export type Leaving = 'gone' | 'moving' | 'waiting';

/** What is on the move asks again after this long, as nobody may have told it that it was called off (Diego rep: 10 s). */
const ASK_AGAIN_MS = 10_000;

/** What a container is for: an LRP instance or a task. The actor asks, the work answers; neither knows the store. */
export interface Work {
  /** Container handle: the instance guid or task guid. */
  readonly guid: string;
  readonly kind: 'lrp' | 'task';
  /** Of an LRP instance. */
  readonly key?: ActualLRPKey;
  readonly resources: HeldResources;
  /** Asks the store for the work. False: it is not ours, drop it. */
  acquire(): Promise<boolean>;
  /** Makes the container, or takes up one that an earlier agent left running. Rejects with the reason to report. */
  create(signal: AbortSignal): Promise<Container>;
  /** What to do in it. `onChange`: how it runs has changed, and `ready` is to be told again. */
  step(container: Container, onChange: () => void): Promise<Step>;
  /** What a further process in it starts from. */
  processDefaults(container: Container): Promise<ProcessDefaults>;
  /** It runs. False: the store does not want it, stop it. */
  ready(container: Container): Promise<boolean>;
  /** The cell drains: ask the store to run it elsewhere. `container`: absent until it is made. */
  leave(container: Container | undefined, isRunning: boolean): Promise<Leaving>;
  /** Nothing of it was started, nor will be: have it placed again. Resolves when the store knows. */
  handBack(): Promise<void>;
  /** It has ended, or was never started. Resolves when the store knows. */
  ended(result: StepResult, container: Container | undefined): Promise<void>;
  /** The container is gone: what it used is free. */
  removed(): Promise<void>;
  /** A line of the cell about it, for the client's log. */
  say(stream: 'out' | 'err', line: string): void;
}

type Message =
  | { type: 'acquire' }
  | { type: 'acquired'; isOurs: boolean }
  | { type: 'expired' }
  | { type: 'created'; container: Container }
  | { type: 'ready' }
  | { type: 'changed' }
  | { type: 'refused' }
  | { type: 'ended'; result: StepResult }
  | { type: 'leave' }
  | { type: 'left'; leaving: Leaving }
  | { type: 'stop' }
  | { type: 'hand-back' }
  | { type: 'settled' };

export interface ContainerActorOptions {
  work: Work;
  cellId: string;
  garden: Garden;
  /** Runs container creations, some at a time; and removals. */
  creating: Limiter;
  deleting: Limiter;
  /** A reservation that is not confirmed ends after this; absent: never, for its container is there already. */
  reservationTtlMs?: number;
  logger: RiveraLogger;
  onCompleted?: (result: StepResult) => void;
  /** The container is gone and the store knows. */
  onGone: (guid: string) => void;
}

/**
 * One container, from reservation to removal. A serial mailbox: slow work (the store, the engine, the program) runs
 * beside it and comes back as a message, so that a stop is heard at any time, also while a creation hangs. An exception
 * ends this container, never the cell.
 */
export class ContainerActor {
  /** The store granted the work: from here on its records are ours to report about. */
  isGranted = false;
  /** From its creation to its removal. */
  container: Container | undefined;
  private current: ContainerState = 'reserved';
  private readonly actor: Actor<Message>;
  private readonly abort = new AbortController();
  /** When it is to ask to leave again, by the monotonic clock; Infinity while it asks. */
  private asksAgainAt = 0;
  private expiry: NodeJS.Timeout | undefined;
  /** What is under way at the engine: nothing is removed before it is known what came of it. */
  private creation: Promise<unknown> = Promise.resolve();
  /** What is being said of its start. */
  private readying: Promise<unknown> = Promise.resolve();
  private isHandingBack = false;

  constructor(private readonly options: ContainerActorOptions) {
    const { work, logger } = options;
    this.actor = new Actor<Message>({
      name: `container.${work.guid}`,
      behavior: (): Behavior<Message> => ({ receive: (message) => this.receive(message) }),
      supervisor: {
        decide: () => 'escalate',
        escalated: ({ error }) => {
          logger.error('container-actor-failed', { guid: work.guid, error });
          if (this.current !== 'completed') this.complete(failed(messageOf(error)));
        },
      },
    });
  }

  get work(): Work {
    return this.options.work;
  }

  get state(): ContainerState {
    return this.current;
  }

  /** Its container is not made yet, and neither is the store told that it will not be. */
  get isStarting(): boolean {
    return this.isHandingBack || (!this.isAdopted && !this.isPastCreation);
  }

  begin(): void {
    const { reservationTtlMs } = this.options;
    if (reservationTtlMs !== undefined) {
      this.expiry = setTimeout(() => this.actor.tell({ type: 'expired' }), reservationTtlMs);
      this.expiry.unref();
    }
    this.actor.tell({ type: 'acquire' });
  }

  stop(): void {
    this.actor.tell({ type: 'stop' });
  }

  /** The cell drains. Asked again and again until the container is gone. */
  leave(): void {
    this.actor.tell({ type: 'leave' });
  }

  /** The agent ends and cannot wait: what has no container is to start elsewhere. Anything else is left as it is. */
  handBack(): void {
    this.actor.tell({ type: 'hand-back' });
  }

  private receive(message: Message): void {
    switch (message.type) {
      case 'acquire':
        this.pipe(this.work.acquire(), (isOurs) => ({ type: 'acquired', isOurs }));
        return;
      case 'acquired':
        if (this.current === 'reserved') this.acquired(message.isOurs);
        return;
      case 'expired':
        if (this.current === 'reserved') this.expire();
        return;
      case 'created':
        // It may have been given up meanwhile.
        if (this.current === 'initializing') this.created(message.container);
        return;
      case 'ready':
        if (this.current === 'created') this.running();
        return;
      case 'changed':
        if (this.current === 'running') this.announce(this.container!);
        return;
      case 'leave':
        return this.askToLeave();
      case 'left':
        this.asksAgainAt = message.leaving === 'moving' ? performance.now() + ASK_AGAIN_MS : 0;
        if (message.leaving === 'gone') this.stop();
        return;
      case 'refused':
      case 'stop':
        return this.interrupt();
      case 'hand-back':
        if (this.isStarting) this.giveUp();
        return;
      case 'ended':
        if (this.current !== 'completed') this.complete(message.result);
        return;
      case 'settled':
        return this.gone();
    }
  }

  /** The cell drains: what becomes of the work is for the work to say, whether or not it runs yet. */
  private askToLeave(): void {
    const { work, logger } = this.options;
    if (this.state === 'completed' || this.abort.signal.aborted || performance.now() < this.asksAgainAt)
      return;
    // What an earlier agent left serves, though it is not known to yet: it is asked again in the next round.
    if (this.isAdopted && this.state !== 'running') return;
    this.asksAgainAt = Infinity;
    this.pipe(
      work.leave(this.container, this.state === 'running'),
      (leaving) => ({ type: 'left', leaving }),
      (error) => {
        logger.warn('failed-to-leave', { guid: work.guid, error });
        return { type: 'left', leaving: 'waiting' };
      },
    );
  }

  private become(state: ContainerState): void {
    requireTransition(this.current, state);
    this.current = state;
  }

  private acquired(isOurs: boolean): void {
    const { creating } = this.options;
    const { signal } = this.abort;
    clearTimeout(this.expiry);
    if (!isOurs) return this.discard();
    this.isGranted = true;
    if (signal.aborted) return this.complete(CANCELLED);
    this.become('initializing');
    const creation = creating(() => this.work.create(signal), signal);
    this.creation = Promise.allSettled([creation]);
    this.pipe(creation, (container) => ({ type: 'created', container }));
  }

  /** Nobody has said whether it is ours; if the store comes to think so, the next synchronization tells it. */
  private expire(): void {
    this.options.logger.warn('container-expired', { guid: this.work.guid, reason: 'expired container' });
    this.discard();
  }

  private created(container: Container): void {
    this.container = container;
    this.become('created');
    this.pipe(this.perform(container), (result) => ({ type: 'ended', result }));
  }

  private running(): void {
    this.become('running');
    this.options.logger.log('container-running', { guid: this.work.guid });
    this.announce(this.container!);
  }

  /** What runs is asked to end; a creation is not waited for. */
  private interrupt(): void {
    if (this.abort.signal.aborted || this.current === 'completed') return;
    if (this.isGranted) this.say('out', 'stopping instance');
    this.abort.abort();
    if (this.current === 'initializing') this.complete(CANCELLED);
  }

  private giveUp(): void {
    clearTimeout(this.expiry);
    this.abort.abort();
    this.become('completed');
    this.isHandingBack = true;
    const told = this.work.handBack().finally(() => (this.isHandingBack = false));
    this.pipe(
      told.then(() => this.creation).then(() => this.remove()),
      () => ({ type: 'settled' }),
    );
  }

  private async perform(container: Container): Promise<StepResult> {
    const step = await this.work.step(container, () => this.actor.tell({ type: 'changed' }));
    return step.perform(this.abort.signal, () => this.actor.tell({ type: 'ready' }));
  }

  private announce(container: Container): void {
    const ready = this.options.work.ready(container);
    this.readying = Promise.allSettled([ready]);
    this.pipe(ready, (isWanted) => (isWanted ? undefined : { type: 'refused' }));
  }

  /** What was asked to end has been stopped, however it ended. */
  private complete(ended: StepResult): void {
    const { logger, onCompleted } = this.options;
    const mayRun = this.mayRunOn;
    const result = this.abort.signal.aborted && ended.status !== 'cancelled' ? CANCELLED : readable(ended);
    this.become('completed');
    const reason = result.status === 'failed' ? { reason: result.message } : {};
    logger.log('container-completed', { guid: this.work.guid, status: result.status, ...reason });
    onCompleted?.(result);
    this.pipe(this.settle(result, mayRun), () => ({ type: 'settled' }));
  }

  /**
   * Did nobody see its program end? It may run if an earlier agent started it and this one has not taken it up yet, or if
   * its start is under way.
   */
  private get mayRunOn(): boolean {
    return this.current === 'created' || (this.isAdopted && this.current !== 'running');
  }

  private get isPastCreation(): boolean {
    return this.current !== 'reserved' && this.current !== 'initializing';
  }

  private get isAdopted(): boolean {
    return this.options.reservationTtlMs === undefined;
  }

  /**
   * The store first: a container whose end is not known yet must not vanish, or a restarted agent could not tell it. And
   * never the end before the start, which would then make the store believe that a container runs that is gone. But what
   * may still run, though it was asked to stop or could not be taken up, goes first: when the store knows, it is started
   * elsewhere.
   */
  private async settle(result: StepResult, mayRun: boolean): Promise<void> {
    await this.readying;
    const goesFirst = mayRun && (result.status === 'cancelled' || (await this.runsOn()));
    if (goesFirst) await this.creation.then(() => this.remove());
    await this.options.work.ended(result, this.container);
    await this.creation;
    if (!goesFirst) await this.remove();
  }

  /**
   * Does it run although starting it, or taking it up, has failed? That an engine does not answer says nothing, so it is
   * asked until it does.
   */
  private async runsOn(): Promise<boolean> {
    const { garden, work } = this.options;
    for (;;) {
      try {
        return (await (await garden.lookup(work.guid)).info()).state === 'running';
      } catch (error) {
        if (!(error instanceof RiveraError) || error.code !== 'unavailable') return false;
        await sleep(FIRST_RETRY_MS, undefined, { ref: false });
      }
    }
  }

  /** The store gave it to someone else; what an earlier agent left of it goes. */
  private discard(): void {
    this.become('completed');
    this.pipe(this.remove(), () => ({ type: 'settled' }));
  }

  /** Again until it is gone: until then it takes what it takes. */
  private async remove(): Promise<void> {
    const { work, garden, deleting, logger } = this.options;
    this.say('out', 'destroying container for instance');
    for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_RETRY_MS)) {
      try {
        await deleting(() => garden.destroy(work.guid));
        break;
      } catch (error) {
        this.say('err', 'failed to destroy container for instance');
        logger.warn('failed-to-destroy-container', { guid: work.guid, error });
        await sleep(waitMs, undefined, { ref: false });
      }
    }
    this.say('out', 'successfully destroyed container for instance');
    this.container = undefined;
    await work.removed();
  }

  private say(stream: 'out' | 'err', what: string): void {
    this.work.say(stream, `Cell ${this.options.cellId} ${what} ${this.work.guid}`);
  }

  private gone(): void {
    this.options.onGone(this.work.guid);
    void this.actor.stop();
  }

  private pipe<T>(
    slow: Promise<T>,
    then: (value: T) => Message | undefined,
    otherwise: (error: unknown) => Message = (error) => ({ type: 'ended', result: failed(messageOf(error)) }),
  ): void {
    slow.then(then, otherwise).then(
      (message) => message && this.actor.tell(message),
      (error: unknown) =>
        this.options.logger.error('container-actor-failed', { guid: this.work.guid, error }),
    );
  }
}

function readable(result: StepResult): StepResult {
  return result.status === 'failed' ? { ...result, message: shortened(result.message) } : result;
}
