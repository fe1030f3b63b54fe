import { setTimeout as sleep } from 'node:timers/promises';
import type { RiveraClient } from '#rivera/client';
import { type CellRegistration, type PresenceGrant, RiveraError } from '#rivera/models';
import { messageOf } from '../executor/step.js';
import type { RiveraLogger } from '#rivera/platform';

export interface PresenceOptions {
  client: RiveraClient;
  cellId: string;
  registration: () => CellRegistration;
  /** Told of each renewal, with what operators want of the cell. */
  onGrant: (grant: PresenceGrant) => void;
  logger: RiveraLogger;
  /** Another agent speaks for this cell now. */
  onReplaced: (error: RiveraError) => void;
}

const RETRY_MS = 500;

/** Keeps the cell known to be there. Losing touch stops nothing here: containers go on, and it is tried again. */
export class Presence {
  private endPause: () => void = () => undefined;
  private isRenewalDue = false;
  private registered!: (epoch: number) => void;
  /** Resolves with this agent's epoch once it was registered. */
  readonly epoch = new Promise<number>((resolve) => (this.registered = resolve));

  constructor(private readonly options: PresenceOptions) {}

  /** Renews until the signal aborts. */
  async keep(signal: AbortSignal): Promise<void> {
    const { client, cellId, registration, onGrant, logger, onReplaced } = this.options;
    let epoch: number | undefined;
    while (!signal.aborted) {
      let waitMs = RETRY_MS;
      try {
        this.isRenewalDue = false;
        const sent = registration();
        const grant = await client.renewCellPresence(cellId, { epoch, registration: sent }, { signal });
        if (epoch === undefined) logger.log('cell-registered', { cellId, epoch: grant.epoch });
        epoch = grant.epoch;
        this.registered(epoch);
        onGrant(grant);
        // What the grant changed is said at once, e.g. that the cell drains.
        const isSaid = JSON.stringify(registration()) === JSON.stringify(sent);
        waitMs = isSaid && !this.isRenewalDue ? grant.ttlMs / 3 : 0;
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof RiveraError && error.code === 'stale-epoch') return onReplaced(error);
        logger.warn('failed-to-renew-presence', { reason: messageOf(error) });
      }
      const pause = new AbortController();
      this.endPause = () => pause.abort();
      const ended = AbortSignal.any([signal, pause.signal]);
      await sleep(waitMs, undefined, { signal: ended }).catch(() => undefined);
    }
  }

  /** The registration has changed and is to be said now. */
  renew(): void {
    this.isRenewalDue = true;
    this.endPause();
  }
}
