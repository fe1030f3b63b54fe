import { DIEGO_SCENARIOS } from './diego-scenarios.js';
import { LARGE_SCENARIOS } from './large-scenarios.js';
import type { Scenario } from './scenario.js';

/** Diego's (A to G), packing (P1 and P2), and large ones (H1 to H8). */
export const SCENARIOS: readonly Scenario[] = [...DIEGO_SCENARIOS, ...LARGE_SCENARIOS];
