import type { Command } from 'commander';
import type { Imbalance, Move, RebalanceResult } from '#rivera/models';
import type { CliContext } from '../cli-context.js';
import { connect } from '../connection.js';
import { print, printJson } from '../output.js';
import { parseCount } from '../parse.js';
import { formatTable } from '../table.js';
import type { Column } from '../table.js';

interface RebalanceOptions {
  dryRun?: boolean;
  moves?: number;
  json?: boolean;
}

const REASONS: Record<Move['reason'], string> = {
  zone: 'evens out its zones',
  locality: 'several on one cell',
  hole: 'keeps room for big instances',
  fill: 'evens out cells',
};

/** `rivera rebalance` */
export function registerRebalance(program: Command, context: CliContext): void {
  program
    .command('rebalance')
    .description('move instances to better cells, replacement first')
    .option('--dry-run', 'say what would be moved and move nothing')
    .option('--moves <count>', 'move so many at most (default: 10)', parseCount)
    .option('--json', 'one JSON object')
    .action(async ({ dryRun, moves: maxMoves, json }: RebalanceOptions, command: Command) => {
      const client = await connect(command, context);
      const result = await client.rebalance({ dryRun, maxMoves }, { signal: context.signal });
      if (json) await printJson(context.stdout, result);
      else await print(context.stdout, textOf(result));
    });
}

function textOf(result: RebalanceResult): string {
  const { moves, dryRun, started, before, after } = result;
  if (moves.length === 0) return `Nothing is worth moving.\n\n${imbalanceTable([['NOW', before]])}`;
  const isStarted = ({ processGuid, index }: Move) =>
    started.some((key) => key.processGuid === processGuid && key.index === index);
  const columns: Column<Move>[] = [
    { heading: 'PROCESS GUID', value: ({ processGuid }) => processGuid },
    { heading: 'INDEX', value: ({ index }) => index, align: 'right' },
    { heading: 'FROM', value: ({ from }) => from },
    { heading: 'TO', value: ({ to }) => to },
    { heading: 'GAIN', value: ({ gain }) => gain.toFixed(2), align: 'right' },
    { heading: 'COST', value: ({ cost }) => cost.toFixed(2), align: 'right' },
    { heading: 'WHY', value: ({ reason }) => REASONS[reason] },
    ...(dryRun ? [] : [{ heading: 'MOVING', value: (move: Move) => (isStarted(move) ? 'yes' : 'no') }]),
  ];
  const sentence = dryRun
    ? `${count(moves.length)} would be moved; nothing was.`
    : `${count(started.length)} being moved.`;
  const states = imbalanceTable([
    ['NOW', before],
    [dryRun ? 'THEN' : 'WHEN DONE', after],
  ]);
  return `${formatTable(moves, columns)}\n${sentence}\n\n${states}`;
}

function imbalanceTable(states: readonly (readonly [string, Imbalance])[]): string {
  return formatTable(states, [
    { heading: '', value: ([name]) => name },
    { heading: 'LARGEST ZONE SKEW', value: ([, state]) => state.largestZoneSkew, align: 'right' },
    { heading: 'SKEWED APPS', value: ([, state]) => state.skewedApps, align: 'right' },
    { heading: 'CROWDED APPS', value: ([, state]) => state.crowdedApps, align: 'right' },
    { heading: 'FILL DEVIATION', value: ([, state]) => state.fillDeviation.toFixed(4), align: 'right' },
    { heading: 'POINTS', value: ([, state]) => state.points.toFixed(1), align: 'right' },
  ]);
}

function count(instances: number): string {
  return instances === 1 ? '1 instance' : `${instances} instances`;
}
