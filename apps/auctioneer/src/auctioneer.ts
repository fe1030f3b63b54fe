import { Injectable } from '@nestjs/common';
import { RiveraError } from '#rivera/models';
import { Activation } from './activation.js';
import { PlacementAnswers } from './answers/placement-answers.js';
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
    signal.addEventListener('abort', () => (this.activation = undefined), { once: true });
    this.parts.logger.log('auctioneer-active', {
      token,
      held: activation.picture.held,
      unplaced: activation.unplaced.size,
      tookMs: Math.round(performance.now() - began),
    });
  }

  /** Answers of the active auctioneer. Errors: `unavailable` until it is active. */
  get answers(): PlacementAnswers {
    if (this.activation === undefined) {
      throw new RiveraError('unavailable', 'This auctioneer is not active yet. Ask again in a moment.');
    }
    const { processes, decisions, clock } = this.parts;
    return new PlacementAnswers(this.activation, processes, decisions, clock);
  }
}
