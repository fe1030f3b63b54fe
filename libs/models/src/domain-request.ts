import { IsInteger } from './validation/rules.js';

/** Body of `PUT /v1/domains/:domain` (Diego BBS, UpsertDomain). */
export class DomainRequest {
  /** Seconds the domain stays fresh; 0 = for ever. */
  @IsInteger({ min: 0 })
  ttlSeconds: number;
}
