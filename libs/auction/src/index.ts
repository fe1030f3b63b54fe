export * from './auction-engine.js';
export * from './placement-error.js';
export * from './scan-auction.js';
export * from './score.js';
export * from './tie-break.js';
export * from './types.js';
