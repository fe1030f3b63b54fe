import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Notifier, WakeLoop } from '#rivera/actor';
import { deleteTask, resolveTask } from '#rivera/lifecycle';
import { RiveraError, type Task } from '#rivera/models';
import { Clock, contextOf, Ids, RiveraLogger } from '#rivera/platform';
import { CALLBACK_CHANNEL, Store, TaskRepository, WakeUps, WORK_SHARD_IDS } from '#rivera/store';
import { CallbackSender } from './callback-sender.js';

const ATTEMPTS = 3;
const NS_PER_MS = 1_000_000;
const PER_SHARD = 100;
/** Completions are heard of from the commits; this finds those of the time when nobody listened. */
const POLL_MS = 10_000;

/**
 * Tells whoever desired a task how it ended (Diego BBS, completion callback). The task is RESOLVING meanwhile, so that
 * one `bbs` does it; an answer deletes the task, anything else leaves it to be tried again, until it expires.
 */
@Injectable()
export class CompletionCallbacks implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly abort = new AbortController();
  private readonly loop = new WakeLoop({
    run: () => this.pass(),
    onError: (error) => this.logger.warn('failed-callbacks', { error }),
    retryMs: 2_000,
  });

  constructor(
    private readonly store: Store,
    private readonly tasks: TaskRepository,
    private readonly wakeUps: WakeUps,
    private readonly sender: CallbackSender,
    private readonly notifier: Notifier,
    private readonly clock: Clock,
    private readonly ids: Ids,
    private readonly logger: RiveraLogger,
  ) {}

  onApplicationBootstrap(): void {
    const { signal } = this.abort;
    const stopListening = this.wakeUps.listen(CALLBACK_CHANNEL, () => this.loop.wake());
    signal.addEventListener('abort', stopListening, { once: true });
    this.loop.start(signal);
  }

  onModuleDestroy(): void {
    this.abort.abort();
  }

  private async pass(): Promise<number> {
    const perShard = await Promise.all(
      WORK_SHARD_IDS.map((shard) => this.store.membersByScore(shard, 'callback', Infinity, PER_SHARD)),
    );
    await Promise.all(perShard.flat().map(({ member }) => this.resolve(member)));
    return POLL_MS;
  }

  private async resolve(taskGuid: string): Promise<void> {
    const task = await this.take(taskGuid);
    if (task === undefined) return;
    if (!(await this.deliver(task))) {
      this.logger.warn('failed-to-call-back', { taskGuid, url: task.definition.completionCallbackUrl });
      return;
    }
    this.notifier.publish(
      await this.tasks.change(taskGuid, (found) => (found ? deleteTask(found, taskGuid) : [])),
    );
  }

  /** Undefined: another `bbs` has it, or it is gone. */
  private async take(taskGuid: string): Promise<Task | undefined> {
    try {
      const [change] = await this.tasks.change(taskGuid, (task) =>
        resolveTask(task, taskGuid, contextOf(this.clock, this.ids)),
      );
      return change?.after as Task | undefined;
    } catch (error) {
      if (error instanceof RiveraError && !error.retryable) return undefined;
      throw error;
    }
  }

  /** Any answer counts as delivered, but for the server's own faults. */
  private async deliver(task: Task): Promise<boolean> {
    const { taskGuid, definition } = task;
    const { completionCallbackUrl = '' } = definition;
    const body = JSON.stringify(callbackBody(task));
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      try {
        if ((await this.sender.post(completionCallbackUrl, body)) < 500) return true;
      } catch (error) {
        this.logger.debug('callback-attempt-failed', { taskGuid, attempt, error });
      }
    }
    return false;
  }
}

/** The names of Diego's callback beside our own: who asked, and over which API, makes no difference to whom is told. */
function callbackBody({
  taskGuid,
  failed = false,
  failureReason = '',
  result = '',
  createdAt,
  definition,
}: Task) {
  const { annotation } = definition;
  return {
    taskGuid,
    failed,
    failureReason,
    result,
    annotation,
    createdAt,
    task_guid: taskGuid,
    failure_reason: failureReason,
    created_at: createdAt * NS_PER_MS,
  };
}
