import { randomUUID } from 'node:crypto';

/** Where new identities come from (instance guids, epochs of modification tags). Injected, so that tests can foresee them. */
export abstract class Ids {
  /** A new UUID, version 4. */
  abstract uuid(): string;
}

/** Random ids from the operating system's generator. */
export class SystemIds extends Ids {
  uuid(): string {
    return randomUUID();
  }
}
