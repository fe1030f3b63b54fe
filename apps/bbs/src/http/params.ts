import { IsCellId, IsDomainName, IsText } from '#rivera/models';
import { Whole } from './queries.js';

/** The parts of a path that have rules. A guid has hardly any: what no record can be called does not exist. */
export class DomainParams {
  @IsDomainName() domain: string;
}

export class CellParams {
  @IsCellId() cellId: string;
}

export class InstanceParams {
  @IsText({ max: 512 }) processGuid: string;
  @Whole({ min: 0 }) index: number;
}
