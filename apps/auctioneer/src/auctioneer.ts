import { Injectable } from '@nestjs/common';
import { Activation } from './activation.js';
import type { AuctioneerParts } from './auctioneer-parts.js';

/**
 * Decides where unplaced work goes (Diego auctioneer). Only the holder of the lease does, and shards refuse what a former
 * holder still writes.
 */
@Injectable()
export class Auctioneer {
  private activation: Activation | undefined;

  constructor(private readonly parts: AuctioneerParts) {}

  /** Takes over: from now on older holders are refused. Returns when the picture of the cells is complete. */
  async activate(token: number, signal: AbortSignal): Promise<void> {
    const began = performance.now();
    const fence = { role: 'auctioneer', token };
    await this.parts.store.fence(fence);
    const activation = new Activation(this.parts, fence);
    await activation.start(signal);
    this.activation = activation;
    this.parts.logger.log('auctioneer-active', {
      token,
      held: activation.picture.held,
      unplaced: activation.unplaced.size,
      tookMs: Math.round(performance.now() - began),
    });
  }

  /** Looks at everything that is unplaced again; nobody has to ask for it. */
  async wake(): Promise<void> {
    await this.activation?.sweepAll();
  }
}
