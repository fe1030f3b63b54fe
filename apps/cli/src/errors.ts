/** The command was called in a way that cannot work; nothing was sent. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Everything was asked and answered well, and the thing itself failed (a task, for example). */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
}

/** The command is over and exits with the status of what it ran. */
export class ExitStatus extends Error {
  override readonly name = 'ExitStatus';

  constructor(readonly status: number) {
    super(`Ended with status ${status}.`);
  }
}
