import type { AuctionOptions } from '../types.js';
import type { Expectation } from './expectations.js';
import type { World } from './world.js';

/** A world that comes with Rivera. */
export interface Scenario {
  id: string;
  title: string;
  world: World;
  /** Where they differ from the usual ones. */
  options?: Partial<AuctionOptions>;
  expectation: Expectation;
}
