import type { AffinityRule } from '#rivera/models';
import type { Auction, AuctionCell } from './types.js';
import { isTaskAuction } from './types.js';

/** Where a cell belongs, as far as a rule is concerned: its zone, or its value of a label; undefined when it has none. */
export function domainOf(cell: AuctionCell, over: string): string | undefined {
  return over === 'zone' ? cell.zone : cell.labels?.[over];
}

/** Whether a rule is one about labels that has to hold: whether a cell matches does not change then. */
export const isLabelConstraint = ({ affinity, label }: AffinityRule): boolean =>
  label !== undefined && (affinity === 'REQUIRE' || affinity === 'FORBID');

/** Whether the cell is not as a rule of REQUIRE or PREFER wants it, or as one of AVOID or FORBID does not want it. */
export const isBroken = ({ affinity }: AffinityRule, isNear: boolean): boolean =>
  isNear === (affinity === 'AVOID' || affinity === 'FORBID');

export const hasLabel = (cell: AuctionCell, { label = '', value }: AffinityRule): boolean =>
  cell.labels?.[label] === value;

/** The first of the constraints on labels that the cell fails. */
export const keepsLabelConstraints = (cell: AuctionCell, rules: readonly AffinityRule[] = []): boolean =>
  rules.every((rule) => !isLabelConstraint(rule) || !isBroken(rule, hasLabel(cell, rule)));

/** Whether the work asks for anything that has to be looked at cell by cell. */
export function hasRules(auction: Auction): boolean {
  if ((auction.affinity?.length ?? 0) > 0) return true;
  return !isTaskAuction(auction) && (auction.spread?.length ?? 0) > 0;
}
