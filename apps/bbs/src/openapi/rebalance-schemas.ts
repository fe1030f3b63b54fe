import {
  type ActualLRPKey,
  type Imbalance,
  type Move,
  REBALANCE_REASONS,
  type RebalanceResult,
} from '#rivera/models';
import { type JsonSchema, listOf } from './json-schema.js';
import { count, flag, record, text } from './record.js';

/** What rebalancing answers. */
export function rebalanceSchemas(): Record<string, JsonSchema> {
  const key = { processGuid: text, index: count };
  const move = record<Move>({
    ...key,
    from: text,
    to: text,
    gain: { type: 'number', description: 'Points of imbalance that go.' },
    cost: { type: 'number', description: 'One for the start, and one for each GB of its memory.' },
    reason: { type: 'string', enum: REBALANCE_REASONS },
  });
  const imbalance = record<Imbalance>({
    points: { type: 'number', description: 'All of it in one number; only differences mean anything.' },
    largestZoneSkew: count,
    skewedApps: count,
    crowdedApps: count,
    fillDeviation: { type: 'number', minimum: 0 },
    missingHoles: { type: 'number', minimum: 0 },
  });
  return {
    RebalanceResult: record<RebalanceResult>(
      {
        dryRun: flag,
        moves: listOf(move),
        started: listOf(record<ActualLRPKey>(key)),
        before: imbalance,
        after: { ...imbalance, description: 'When all moves are done.' },
      },
      'Moves to better cells, and how uneven the deployment is before and after.',
    ),
  };
}
