import { Injectable } from '@nestjs/common';
import { Notifier } from '#rivera/actor';
import type { Evacuation } from '#rivera/lifecycle';
import type { AcceptedReport, EvacuationReport } from '#rivera/models';
import { Clock, contextOf, Ids } from '#rivera/platform';
import { ProcessRepository } from '#rivera/store';
import { decideEvacuation } from './evacuation-reports.js';
import { type Reporter, writeOptionsOf } from './reporter.js';

export interface EvacuationOptions {
  /** Instances of one LRP that are moved off cells at the same time. */
  maxPerLRP: number;
  /** Instances of all LRPs together. */
  maxInFlight: number;
}

/** The count of what is on the move is taken anew after this long; until then it is what was counted and added here. */
const COUNT_HOLDS_MS = 500;

/** Applies what cells that leave report, and sees to it that not too much is on the move at once. */
@Injectable()
export class Evacuations {
  private inFlight = 0;
  private countedAt = -Infinity;
  /** Being decided now. */
  private pending = 0;

  constructor(
    private readonly options: EvacuationOptions,
    private readonly processes: ProcessRepository,
    private readonly notifier: Notifier,
    private readonly clock: Clock,
    private readonly ids: Ids,
  ) {}

  /** RECREATE and the limits look at all instances of the process, so it is decided on the whole of it. */
  async apply(reporter: Reporter, report: EvacuationReport): Promise<AcceptedReport> {
    const maxPerLRP = (await this.isFull()) ? 0 : this.options.maxPerLRP;
    this.pending += 1;
    try {
      const { keepContainer, isWaiting, transition } = await this.decide(reporter, report, maxPerLRP);
      if (keepContainer && transition.length > 0) this.inFlight += 1;
      this.notifier.publish(transition, reporter.cellId);
      return { ok: true, keepContainer, ...(isWaiting && { waiting: true }) };
    } finally {
      this.pending -= 1;
    }
  }

  private async decide(reporter: Reporter, report: EvacuationReport, maxPerLRP: number): Promise<Evacuation> {
    let evacuation: Evacuation = { transition: [], keepContainer: true };
    await this.processes.change(
      report.processGuid,
      (process) => {
        const context = contextOf(this.clock, this.ids);
        const limits = { deadline: reporter.deadline, maxPerLRP };
        evacuation = decideEvacuation(process, reporter, report, context, limits);
        return evacuation.transition;
      },
      writeOptionsOf(reporter),
    );
    return evacuation;
  }

  private async isFull(): Promise<boolean> {
    const now = this.clock.now();
    if (now - this.countedAt >= COUNT_HOLDS_MS) {
      this.countedAt = now;
      this.inFlight = await this.processes.countEvacuating();
    }
    return this.inFlight + this.pending >= this.options.maxInFlight;
  }
}
