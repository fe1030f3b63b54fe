import { workId } from '../types.js';
import type { Decision, Simulation } from './simulation.js';
import type { SimulationInput } from './inputs.js';
import type { SimulationReport } from './report.js';

/** One piece of work that two engines decided differently. */
export interface Difference {
  /** Which auction, from 1. */
  auction: number;
  work: string;
  /** A cell id, or the placement error. */
  first: Pick<Decision, 'cellId' | 'error'>;
  second: Pick<Decision, 'cellId' | 'error'>;
}

/** Two engines, or one with two policies, on the same inputs. */
export interface Comparison {
  auctions: number;
  /** Pieces of work decided the same: the same cell, or the same placement error. */
  same: number;
  /** In the order of the first engine's decisions. */
  differences: Difference[];
  first: SimulationReport;
  second: SimulationReport;
}

/**
 * Has the same things happen to two simulations and compares them decision by decision. After their first difference
 * each goes on from its own decisions, so later differences may follow from earlier ones.
 */
export function compare(
  inputs: Iterable<SimulationInput>,
  first: Simulation,
  second: Simulation,
): Comparison {
  const differences: Difference[] = [];
  let [auctions, same] = [0, 0];
  for (const input of inputs) {
    const decisions = first.apply(input);
    const others = second.apply(input);
    if (input.type !== 'auction') continue;
    auctions += 1;
    const byWork = new Map(others.map((decision) => [workId(decision.auction), decision]));
    for (const decision of decisions) {
      const work = workId(decision.auction);
      const other = byWork.get(work);
      if (other !== undefined && other.cellId === decision.cellId && other.error === decision.error)
        same += 1;
      else differences.push({ auction: auctions, work, first: outcome(decision), second: outcome(other) });
    }
    differences.push(...onlyIn(decisions, others, auctions));
  }
  return { auctions, same, differences, first: first.report(), second: second.report() };
}

/** What only the second decided in this auction: after different refusals or losses, different work waits. */
function onlyIn(decisions: readonly Decision[], others: readonly Decision[], auction: number): Difference[] {
  const decided = new Set(decisions.map((decision) => workId(decision.auction)));
  return others
    .filter((other) => !decided.has(workId(other.auction)))
    .map((other) => ({ auction, work: workId(other.auction), first: {}, second: outcome(other) }));
}

function outcome(decision: Decision | undefined): Pick<Decision, 'cellId' | 'error'> {
  const { cellId, error } = decision ?? {};
  return { ...(cellId !== undefined && { cellId }), ...(error !== undefined && { error }) };
}
