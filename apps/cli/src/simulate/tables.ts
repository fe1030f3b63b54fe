import type { Comparison, Difference, SimulationReport } from '#rivera/auction';
import { formatRecord, formatTable } from '../table.js';
import type { Column } from '../table.js';

/** A simulation that has run. */
export interface Outcome {
  id: string;
  title: string;
  policy: string;
  report: SimulationReport;
  /** Of processor time in the engine; absent when nothing was decided. */
  decisionsPerSecond?: number;
  /** Absent when nothing is expected of it. */
  expected?: { words: string; complaints: string[] };
}

/** All there is to say about one simulation. */
export function detailsOf(outcome: Outcome): string {
  const { report } = outcome;
  const zones = formatTable(report.zones, [
    { heading: 'ZONE', value: ({ zone }) => zone },
    { heading: 'CELLS', value: ({ cells }) => cells, align: 'right' },
    { heading: 'CONTAINERS', value: ({ containers }) => containers, align: 'right' },
    { heading: 'PLACED', value: ({ placed }) => placed, align: 'right' },
    { heading: 'MEMORY', value: ({ memoryFill }) => percent(memoryFill), align: 'right' },
  ]);
  return `${formatRecord(entriesOf(outcome))}\n${zones}`;
}

function entriesOf({ id, title, policy, report, decisionsPerSecond, expected }: Outcome) {
  const { memoryFill, instancesPerCell, placedPerCell, zoneSkew, firstFailure } = report;
  const entries: (readonly [string, string | number | undefined])[] = [
    ['scenario', id === '-' ? title : `${id}: ${title}`],
    ['options', policy],
    ['expected', expected && `${expected.words}: ${verdictOf(expected)}`],
    ['cells', `${whole(report.cells.length)} in ${report.zones.length} zones`],
    ['submitted', whole(report.submitted)],
    ['placed', `${whole(report.placements)}${aside(report)}`],
    ['not placed', report.unplaced === 0 ? '0' : `${whole(report.unplaced)}: ${reasonsOf(report)}`],
    ['first failure', firstFailure && firstFailureOf(firstFailure)],
    ['decisions/s', decisionsPerSecond === undefined ? undefined : whole(decisionsPerSecond)],
    [
      'distribution',
      `${scoreOf(report.distributionScore)}, at first ${scoreOf(report.initialDistributionScore)}`,
    ],
    [
      'zone skew',
      `${zoneSkew.largest} at most; above 1 for ${whole(zoneSkew.skewedApps)} of ${whole(zoneSkew.apps)} apps`,
    ],
    [
      'memory',
      `${percent(memoryFill.mean)} of a cell, from ${percent(memoryFill.min)} to ${percent(memoryFill.max)}`,
    ],
    [
      'containers',
      `${instancesPerCell.mean.toFixed(1)} on a cell, from ${instancesPerCell.min} to ${instancesPerCell.max}`,
    ],
    [
      'placed there',
      `${placedPerCell.mean.toFixed(1)} on a cell, from ${placedPerCell.min} to ${placedPerCell.max}`,
    ],
  ];
  return entries;
}

/** One line for each simulation. */
export function summaryOf(outcomes: readonly Outcome[]): string {
  const columns: Column<Outcome>[] = [
    { heading: 'SCENARIO', value: ({ id }) => id },
    { heading: 'CELLS', value: ({ report }) => whole(report.cells.length), align: 'right' },
    { heading: 'PLACED', value: ({ report }) => whole(report.placements), align: 'right' },
    { heading: 'NOT PLACED', value: ({ report }) => whole(report.unplaced), align: 'right' },
    { heading: 'PER SECOND', value: ({ decisionsPerSecond: rate }) => rate && whole(rate), align: 'right' },
    { heading: 'DISTRIBUTION', value: ({ report }) => scoreOf(report.distributionScore), align: 'right' },
    { heading: 'ZONE SKEW', value: ({ report }) => report.zoneSkew.largest, align: 'right' },
    {
      heading: 'FIRST FAILURE',
      value: ({ report }) => report.firstFailure && percent(report.firstFailure.memoryFill),
      align: 'right',
    },
    { heading: 'AS EXPECTED', value: ({ expected }) => expected && verdictOf(expected) },
  ];
  return formatTable(outcomes, columns);
}

/** Differences listed in a table; the rest is counted. */
const LISTED = 20;

/** Two policies side by side, and where they first part. */
export function comparisonOf(
  { auctions, same, differences }: Comparison,
  outcomes: [Outcome, Outcome],
): string {
  const sides = outcomes.map((outcome) => new Map(entriesOf(outcome)));
  const names = [...new Set(sides.flatMap((side) => [...side.keys()]))];
  const rows = names.map((name) => ({ name, values: sides.map((side) => side.get(name)) }));
  const both = formatTable(
    rows.filter(({ name, values }) => name !== 'scenario' && values.some((value) => value !== undefined)),
    [
      { heading: '', value: ({ name }) => name },
      { heading: 'FIRST', value: ({ values }) => values[0] },
      { heading: 'SECOND', value: ({ values }) => values[1] },
    ],
  );
  const total = same + differences.length;
  const sentence =
    differences.length === 0
      ? `All ${whole(total)} decisions in ${whole(auctions)} auctions are the same.`
      : `${whole(differences.length)} of ${whole(total)} decisions in ${whole(auctions)} auctions differ.`;
  return `${both}\n${sentence}\n${differences.length === 0 ? '' : `\n${differencesOf(differences)}`}`;
}

function differencesOf(differences: readonly Difference[]): string {
  const side = ({ cellId, error }: Difference['first']) => cellId ?? error ?? 'not decided';
  const table = formatTable(differences.slice(0, LISTED), [
    { heading: 'AUCTION', value: ({ auction }) => auction, align: 'right' },
    { heading: 'WORK', value: ({ work }) => work },
    { heading: 'FIRST', value: ({ first }) => side(first) },
    { heading: 'SECOND', value: ({ second }) => side(second) },
  ]);
  const rest = differences.length - LISTED;
  return rest > 0 ? `${table}… and ${whole(rest)} more; --json lists all.\n` : table;
}

function firstFailureOf({
  work,
  memoryMb,
  error,
  memoryFill,
}: NonNullable<SimulationReport['firstFailure']>): string {
  return `${work} of ${whole(memoryMb)} MB when ${percent(memoryFill)} of the memory was in use: ${error}`;
}

function aside({ refused, lost }: SimulationReport): string {
  const parts = [
    refused > 0 ? `${whole(refused)} of them refused and placed again` : '',
    lost > 0 ? `${whole(lost)} of them from lost cells` : '',
  ].filter((part) => part !== '');
  return parts.length === 0 ? '' : `, ${parts.join(', ')}`;
}

function reasonsOf({ failuresByReason }: SimulationReport): string {
  return Object.entries(failuresByReason)
    .toSorted(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${reason} (${whole(count)})`)
    .join(', ');
}

function verdictOf({ complaints }: NonNullable<Outcome['expected']>): string {
  const [first, ...rest] = complaints;
  if (first === undefined) return 'yes';
  return `no: ${first}${rest.length === 0 ? '' : ` And ${rest.length} more.`}`;
}

export const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
export const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
export const scoreOf = (score: number): string => score.toFixed(4);
