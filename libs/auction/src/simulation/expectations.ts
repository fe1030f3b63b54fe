import type { CellReport, SimulationReport } from './report.js';

/** What a scenario should come to: in words, and a check that says what is otherwise. */
export interface Expectation {
  words: string;
  /** One sentence for each thing that is not as expected. */
  complaints(report: SimulationReport): string[];
}

export function all(...expectations: Expectation[]): Expectation {
  return {
    words: expectations.map(({ words }) => words).join('; '),
    complaints: (report) => expectations.flatMap((each) => each.complaints(report)),
  };
}

/** Every cell that received anything received as much as the mean of these, give or take `deviation`. */
export function evenWithin(deviation: number): Expectation {
  return {
    words: `all placed, each cell within ${deviation} of the mean`,
    complaints: (report) => {
      const receivers = report.cells.filter(({ placed }) => placed > 0);
      const mean = receivers.reduce((sum, { placed }) => sum + placed, 0) / receivers.length;
      return [
        ...placed(report.submitted).complaints(report),
        ...receivers
          .filter((cell) => Math.abs(cell.placed - mean) > deviation)
          .map(({ cellId, placed }) => `${cellId} received ${placed}, the mean is ${mean.toFixed(1)}.`),
      ];
    },
  };
}

/** In each zone no cell received more than the one before it, and zones received equally much give or take one. */
export const zonesFilledFromFirstCell: Expectation = {
  words: 'all placed, each zone filled from its first cell, zones even to 1',
  complaints: (report) => [
    ...placed(report.submitted).complaints(report),
    ...evenZones(1).complaints(report),
    ...report.zones.flatMap(({ zone }) => {
      const cells = report.cells.filter((cell) => cell.zone === zone);
      return cells.flatMap((cell, at) => {
        const before: CellReport | undefined = cells[at - 1];
        return before !== undefined && cell.placed > before.placed
          ? [`${cell.cellId} received ${cell.placed}, more than ${before.cellId} before it.`]
          : [];
      });
    }),
  ],
};

/** Zones received equally many, give or take `deviation`. */
export function evenZones(deviation: number): Expectation {
  return {
    words: `zones even to ${deviation}`,
    complaints: ({ zones }) => {
      const counts = zones.map((zone) => zone.placed);
      const difference = Math.max(...counts) - Math.min(...counts);
      return difference > deviation ? [`Zones differ by ${difference}: ${counts.join(', ')}.`] : [];
    },
  };
}

/** This many are placed at the end, and this many are not. */
export function placed(expected: number, unplaced = 0): Expectation {
  return {
    words: unplaced === 0 ? `all ${expected} placed` : `${expected} placed, ${unplaced} not`,
    complaints: (report) => {
      const running = report.cells.reduce((sum, cell) => sum + cell.placed, 0);
      return running === expected && report.unplaced === unplaced
        ? []
        : [`${running} were placed and ${report.unplaced} were not.`];
    },
  };
}

export const everythingPlaced: Expectation = {
  words: 'everything placed',
  complaints: ({ unplaced }) => (unplaced === 0 ? [] : [`${unplaced} were not placed.`]),
};

/** No app's zones differ by more than this. */
export function zoneSkewWithin(largest: number): Expectation {
  return {
    words: `zone skew at most ${largest}`,
    complaints: ({ zoneSkew }) =>
      zoneSkew.largest <= largest ? [] : [`An app's zones differ by ${zoneSkew.largest}.`],
  };
}

export function distributionScoreWithin(most: number): Expectation {
  return {
    words: `distribution score at most ${most}`,
    complaints: ({ distributionScore }) =>
      distributionScore <= most ? [] : [`The distribution score is ${distributionScore.toFixed(4)}.`],
  };
}

/** Something could not be placed, and not before this share of the memory was in use. */
export function firstFailureFrom(memoryFill: number): Expectation {
  return {
    words: `first failure at ${memoryFill * 100} % of the memory or later`,
    complaints: ({ firstFailure }) => {
      if (firstFailure === undefined) return ['Everything was placed.'];
      const percent = (firstFailure.memoryFill * 100).toFixed(1);
      return firstFailure.memoryFill >= memoryFill ? [] : [`The first failure was at ${percent} %.`];
    },
  };
}
