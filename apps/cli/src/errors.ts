/** The command was called in a way that cannot work; nothing was sent. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Everything was asked and answered well, and the thing itself failed (a task, for example). */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
}
