import { type Deployment, DEPLOYMENT_STATES } from '#rivera/models';
import type { JsonSchema } from './json-schema.js';
import { count, maybe, record, text, time } from './record.js';

/** What a deployment looks like in answers and events. */
export function deploymentSchema(tag: JsonSchema): JsonSchema {
  return record<Deployment>(
    {
      processGuid: text,
      newProcessGuid: text,
      domain: text,
      state: { type: 'string', enum: DEPLOYMENT_STATES },
      reason: maybe({ ...text, description: 'Why it is rolled back, or failed.' }),
      oldInstances: count,
      newInstances: count,
      policy: record<Deployment['policy']>({
        maxInFlight: count,
        maxUnavailable: count,
        minHealthyMs: count,
        maxCrashes: count,
        progressTimeoutMs: count,
      }),
      healthy: { ...count, description: 'The most instances that were healthy at once.' },
      crashes: count,
      createdAt: time,
      progressedAt: time,
      dueAt: maybe(time),
      modificationTag: tag,
    },
    'How far a new definition has taken the place of an LRP.',
  );
}
