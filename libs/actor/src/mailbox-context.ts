import { BaseRpcContext } from '@nestjs/microservices';
import type { PacketMetadata } from '@nestjs/microservices';
import type { Address } from './address.js';

/** What a handler may know about the delivery of its message. */
export interface Delivery {
  address: Address;
  /** The name of the message. */
  message: string;
  /** The same in every delivery of one message. */
  messageId: string;
  /** 1 for the first delivery; more means that earlier ones failed, were cut short, or still run elsewhere. */
  delivery: number;
  metadata: PacketMetadata;
  /** Aborted when this process knows that the lock is lost. Advisory: fencing protects the data, not this. */
  signal?: AbortSignal;
}

/** The second argument of a message handler (`@Ctx()`). */
export class MailboxContext extends BaseRpcContext<[Delivery]> {
  constructor(delivery: Delivery) {
    super([delivery]);
  }

  get delivery(): Delivery {
    return this.args[0];
  }

  /** The name Nest's instrumentation looks for. */
  getMetadata(): PacketMetadata {
    return this.args[0].metadata;
  }
}
