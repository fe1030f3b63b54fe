import { LIMITS } from './validation/limits.js';
import { ExactlyOneOf, IsGuid, IsInteger, IsName, IsOneOf, Together } from './validation/rules.js';
import { objectRule, Optional } from './validation/rule.js';

/** So many devices of a kind, e.g. 2 of `gpu`. */
export class DeviceCount {
  @IsName()
  name: string;

  @IsInteger({ min: 1 })
  count: number;
}

const overBelongsToProcess = ({ label, over }: AffinityRule): string | undefined =>
  label !== undefined && over !== undefined
    ? '.over belongs to processGuid; a label says itself where'
    : undefined;

export const AFFINITIES = ['REQUIRE', 'PREFER', 'AVOID', 'FORBID'] as const;
export type Affinity = (typeof AFFINITIES)[number];

/**
 * What kind of cell is wanted, or unwanted: one with a label, or one near the instances of a process. REQUIRE and FORBID
 * have to hold when an instance is placed; PREFER and AVOID go before everything but refusals.
 */
@ExactlyOneOf<AffinityRule>('label', 'processGuid')
@objectRule<AffinityRule>('overBelongsToProcess', overBelongsToProcess)
@Together<AffinityRule>('label', 'value')
export class AffinityRule {
  @IsOneOf(AFFINITIES)
  affinity: Affinity;

  /** The cell has this label, with this value. */
  @Optional()
  @IsName()
  label?: string;

  @Optional()
  @IsName()
  value?: string;

  /** An instance of this process is near. It may be the process itself: FORBID keeps its instances apart. */
  @Optional()
  @IsGuid()
  processGuid?: string;

  /** How near: on the same `cell` (when absent), in the same `zone`, or where cells have the same value of this label. */
  @Optional()
  @IsName()
  over?: string;
}

/** The instances of a process are spread evenly over zones, or over the values of a label. */
export class SpreadRule {
  /** `zone` or a label, e.g. `rack`. Cells without the label take no instance. */
  @IsName()
  over: string;

  /** No value may have more instances above the one that has fewest, of those with a matching cell. */
  @IsInteger({ min: 1, max: LIMITS.instances })
  maxSkew: number;
}
