/** What a rule may know of the outside world: given, never taken. */
export interface Context {
  /** Milliseconds since the Unix epoch. */
  now: number;
  /** A fresh UUID. */
  newGuid(): string;
}
