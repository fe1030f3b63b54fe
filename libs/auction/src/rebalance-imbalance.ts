import type { Imbalance } from '#rivera/models';
import type { AppState, RebalanceState } from './rebalance-state.js';

export function imbalanceOf(state: RebalanceState): Imbalance {
  const { zone, locality, hole, fill } = state.options.weights;
  const skews = state.apps.map(zoneSkewOf);
  const fills = state.byFill().map(({ fill: share }) => share);
  const missingHoles = sum([...state.zones.keys()].map((name) => state.missingHoles(name)));
  const halfSquares = (counts: Iterable<number>) => sum([...counts].map((count) => count ** 2)) / 2;
  return {
    points:
      zone * sum(state.apps.map(({ perZone }) => halfSquares(perZone.values()))) +
      locality * sum(state.apps.map(({ perCell }) => halfSquares(perCell.values()))) +
      hole * missingHoles +
      fill * sum(fills.map((share) => share ** 2)),
    largestZoneSkew: skews.reduce((largest, skew) => Math.max(largest, skew), 0),
    skewedApps: skews.filter((skew) => skew > 1).length,
    crowdedApps: state.apps.filter(isCrowded).length,
    fillDeviation: deviation(fills),
    missingHoles,
  };
}

function zoneSkewOf({ matching, perZone }: AppState): number {
  const counts = [...matching.keys()].map((zone) => perZone.get(zone) ?? 0);
  return counts.length === 0 ? 0 : Math.max(...counts) - Math.min(...counts);
}

function isCrowded({ matching, perCell }: AppState): boolean {
  const cells = sum([...matching.values()].map(({ length }) => length));
  const instances = sum([...perCell.values()]);
  return Math.max(0, ...perCell.values()) > Math.ceil(instances / Math.max(1, cells));
}

function deviation(values: readonly number[]): number {
  if (values.length === 0) return 0;
  const mean = sum(values) / values.length;
  return Math.sqrt(sum(values.map((value) => (value - mean) ** 2)) / values.length);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
