import { CellCapacity, IsInteger, IsNameList, IsPart, LIMITS, Optional } from '#rivera/models';

/** What worlds and recordings both say of a cell. */
export class DescribedCell {
  @IsPart(() => CellCapacity)
  capacity: CellCapacity;

  @Optional()
  @IsNameList({ max: LIMITS.placementTags })
  placementTags?: string[];

  @Optional()
  @IsNameList({ max: LIMITS.placementTags })
  optionalPlacementTags?: string[];

  @Optional()
  @IsNameList({ max: LIMITS.volumeDrivers })
  volumeDrivers?: string[];

  @Optional()
  @IsInteger({ min: 0 })
  proxyMemoryMb?: number;
}

/** What worlds and recordings both say of an instance or a task. */
export class DescribedWork {
  @IsInteger({ min: 0 })
  memoryMb: number;

  @IsInteger({ min: 0 })
  diskMb: number;

  @Optional()
  @IsNameList({ max: LIMITS.placementTags })
  placementTags?: string[];

  @Optional()
  @IsNameList({ max: LIMITS.volumeDrivers })
  volumeDrivers?: string[];
}
