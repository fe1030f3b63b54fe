import { join } from 'node:path';

import type { EnginePlan } from './engine.js';
import type { Layout } from './layout.js';
import type { SampleState } from './sample.js';

export interface SummaryInput {
  layout: Layout;
  api: string;
  cellIds: readonly string[];
  engine: EnginePlan;
  sample: SampleState | string;
}

/** What the user wants to know of a cluster that is up. */
export function summaryOf({ layout, api, cellIds, engine, sample }: SummaryInput): string[] {
  const envFile = join(layout.state, 'env');
  return [
    '',
    `Rivera is up.  API: ${api}`,
    `  token   RIVERA_TOKEN in ${envFile}`,
    `  cells   ${cellIds.join(', ')} (${engine.backend})`,
    `  logs    ${layout.logs}`,
    ...describeSample(sample),
    '',
    'Try:',
    '  npm run -s rivera -- lrps                        what is desired and what runs',
    '  npm run -s rivera -- scale sample 4              more instances of the sample',
    `  . ${envFile} && curl -H "Authorization: Bearer $RIVERA_TOKEN" $RIVERA_API/v1/cells`,
    '',
    'npm stop (or Ctrl-C where it was started) ends it.',
  ];
}

function describeSample(sample: SampleState | string): string[] {
  if (typeof sample === 'string') return [`  sample  ${sample}`];
  return [
    ...sample.answering.map((url) => `  sample  ${url}`),
    ...sample.missing.map((problem) => `  sample  NOT WELL: ${problem}`),
  ];
}
