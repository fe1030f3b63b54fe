import { Actor, type Behavior } from '#rivera/actor';
import type { Container, Garden } from '#rivera/garden';
import type { HeldResources } from '#rivera/models';
import type { RiveraLogger } from '#rivera/platform';
import { CANCELLED, failed, type Step, type StepResult } from '../executor/step.js';
import { messageOf } from '../executor/run-step.js';

/** Diego executor: reserved → initializing → created → running → completed. */
export type ContainerState = 'reserved' | 'initializing' | 'created' | 'running' | 'completed';

/** What a container is for: an LRP instance or a task. The actor asks, the work answers; neither knows the store. */
export interface Work {
  /** Container handle: the instance guid or task guid. */
  readonly guid: string;
  readonly kind: 'lrp' | 'task';
  readonly resources: HeldResources;
  /** Asks the store for the work. False: it is not ours, drop it. */
  acquire(): Promise<boolean>;
  /** Makes the container, or takes up one that an earlier agent left running. */
  create(garden: Garden): Promise<Container>;
  /** What to do in it. */
  step(container: Container): Promise<Step>;
  /** It runs. False: the store does not want it, stop it. */
  ready(container: Container): Promise<boolean>;
  /** It has ended, or was never started. Resolves when the store knows. */
  ended(result: StepResult, container: Container | undefined): Promise<void>;
}

type Message =
  | { type: 'acquire' }
  | { type: 'acquired'; isOurs: boolean }
  | { type: 'created'; container: Container }
  | { type: 'ready' }
  | { type: 'refused' }
  | { type: 'ended'; result: StepResult }
  | { type: 'stop' }
  | { type: 'settled' };

export interface ContainerActorOptions {
  work: Work;
  garden: Garden;
  /** Runs container creations, some at a time. */
  creating: <T>(create: () => Promise<T>) => Promise<T>;
  logger: RiveraLogger;
  /** The container is gone and the store knows. */
  onGone(guid: string): void;
}

/**
 * One container, from reservation to removal. A serial mailbox: slow work (the store, the engine, the program) runs
 * beside it and comes back as a message, so that a stop is heard at any time, also while a creation hangs. An exception
 * ends this container, never the cell.
 */
export class ContainerActor {
  state: ContainerState = 'reserved';
  /** The store granted the work: from here on its records are ours to report about. */
  isGranted = false;
  private readonly actor: Actor<Message>;
  private readonly abort = new AbortController();
  /** From its creation to its removal. */
  container: Container | undefined;
  /** What is being said of its start. */
  private readying: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: ContainerActorOptions) {
    const { work, logger } = options;
    this.actor = new Actor<Message>({
      name: `container.${work.guid}`,
      behavior: (): Behavior<Message> => ({ receive: (message) => this.receive(message) }),
      supervisor: {
        decide: () => 'escalate',
        escalated: ({ error }) => {
          logger.error('container-actor-failed', { guid: work.guid, error });
          this.complete(failed(messageOf(error)));
        },
      },
    });
  }

  get work(): Work {
    return this.options.work;
  }

  begin(): void {
    this.actor.tell({ type: 'acquire' });
  }

  stop(): void {
    this.actor.tell({ type: 'stop' });
  }

  private receive(message: Message): void {
    const { work, garden, creating, logger } = this.options;
    switch (message.type) {
      case 'acquire':
        this.pipe(work.acquire(), (isOurs) => ({ type: 'acquired', isOurs }));
        return;
      case 'acquired':
        if (!message.isOurs) return this.discard();
        this.isGranted = true;
        if (this.abort.signal.aborted) return this.complete(CANCELLED);
        this.state = 'initializing';
        this.pipe(
          creating(() => work.create(garden)),
          (container) => ({ type: 'created', container }),
          (error) => ({ type: 'ended', result: failed(`failed to create container: ${messageOf(error)}`) }),
        );
        return;
      case 'created':
        this.container = message.container;
        if (this.abort.signal.aborted) return this.complete(CANCELLED);
        this.state = 'created';
        this.pipe(this.perform(message.container), (result) => ({ type: 'ended', result }));
        return;
      case 'ready':
        if (this.state !== 'created' || this.container === undefined) return;
        this.state = 'running';
        logger.log('container-running', { guid: work.guid });
        this.announce(this.container);
        return;
      case 'refused':
      case 'stop':
        this.abort.abort();
        return;
      case 'ended':
        if (this.state !== 'completed') this.complete(message.result);
        return;
      case 'settled':
        return this.gone();
    }
  }

  private async perform(container: Container): Promise<StepResult> {
    const step = await this.work.step(container);
    return step.perform(this.abort.signal, () => this.actor.tell({ type: 'ready' }));
  }

  private announce(container: Container): void {
    const ready = this.options.work.ready(container);
    this.readying = Promise.allSettled([ready]);
    this.pipe(ready, (isWanted) => (isWanted ? undefined : { type: 'refused' }));
  }

  private complete(result: StepResult): void {
    const { work, logger } = this.options;
    this.state = 'completed';
    logger.log('container-completed', { guid: work.guid, ...result });
    this.pipe(this.settle(result), () => ({ type: 'settled' }));
  }

  /**
   * The store first: a container whose end is not known yet must not vanish, or a restarted agent could not tell it. And
   * never the end before the start, which would then make the store believe that a container runs that is gone.
   */
  private async settle(result: StepResult): Promise<void> {
    await this.readying;
    await this.options.work.ended(result, this.container);
    await this.destroy();
  }

  /** The store gave it to someone else; what an earlier agent left of it goes. */
  private discard(): void {
    this.state = 'completed';
    this.pipe(this.destroy(), () => ({ type: 'settled' }));
  }

  private async destroy(): Promise<void> {
    const { work, garden, logger } = this.options;
    try {
      await garden.destroy(work.guid);
    } catch (error) {
      logger.warn('failed-to-destroy-container', { guid: work.guid, error });
    }
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
