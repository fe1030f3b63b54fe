import {
  type Candidate,
  type CandidateClass,
  type CandidateSummary,
  type Capacity,
  type DistrustedCell,
  type NearMiss,
  type PlacementExplanation,
  type PlacementPlan,
  type Refusal,
  type ZoneCapacity,
} from '#rivera/models';
import { type JsonSchema, listOf, ref } from './json-schema.js';
import { count, extended, flag, maybe, record, text, texts, time } from './record.js';

const counts: JsonSchema = { type: 'object', additionalProperties: count };
const microseconds: JsonSchema = { type: 'number', minimum: 0, description: 'microseconds' };

export const refusalOfCell = record<Refusal>({ cellId: text, reason: text, since: time });

/** The answers of the active auctioneer. */
export function placementSchemas(): Record<string, JsonSchema> {
  const summary = record<CandidateSummary>(
    { cells: count, suitable: count, mismatched: counts, short: counts, barred: counts },
    'How cells stand with a piece of work, in numbers.',
  );
  return {
    CandidateSummary: summary,
    PlacementPlan: plan(),
    PlacementExplanation: explanation(summary),
    Capacity: record<Capacity>({
      instances: count,
      zones: listOf(record<ZoneCapacity>({ zone: text, pool: maybe(text), cells: count, instances: count })),
    }),
  };
}

function plan(): JsonSchema {
  // An instance has a process guid and an index, a task a task guid.
  interface Planned {
    processGuid?: string;
    index?: number;
    taskGuid?: string;
  }
  const planned = { processGuid: maybe(text), index: maybe(count), taskGuid: maybe(text) };
  return record<PlacementPlan>(
    {
      placements: listOf(
        record<Planned & { cellId: string; zone: string }>({ ...planned, cellId: text, zone: text }),
      ),
      unplaced: listOf(
        record<Planned & { placementError: string; candidates: CandidateSummary }>({
          ...planned,
          placementError: text,
          candidates: ref('CandidateSummary'),
        }),
      ),
      tookUs: microseconds,
    },
    'Where work would go. Nothing of it has been written.',
  );
}

function explanation(summary: JsonSchema): JsonSchema {
  const description = record<Omit<CandidateClass, keyof CandidateSummary>>({
    zone: text,
    pool: maybe(text),
    rootfses: texts,
    placementTags: texts,
    optionalPlacementTags: texts,
    volumeDrivers: texts,
  });
  const decision = record<NonNullable<PlacementExplanation['decision']>>({
    decidedAt: time,
    tookUs: microseconds,
    cellId: maybe(text),
    placementError: maybe(text),
  });
  const candidate = record<Candidate>({
    cellId: text,
    zone: text,
    score: { type: 'number' },
    zoneInstances: count,
    instances: count,
    refused: flag,
  });
  return record<PlacementExplanation>(
    {
      processGuid: text,
      index: count,
      cellId: maybe(text),
      placementError: maybe(text),
      refusedBy: maybe(texts),
      refusal: maybe(refusalOfCell),
      decision: maybe(decision),
      candidates: ref('CandidateSummary'),
      classes: listOf(extended(description, summary)),
      best: listOf(candidate),
      nearestMisses: listOf(record<NearMiss>({ cellId: text, zone: text, lacks: counts })),
      distrusted: listOf(record<DistrustedCell>({ cellId: text, refusals: count, restsUntil: time })),
      tookUs: microseconds,
    },
    'Why an instance is where it is, or nowhere.',
  );
}
