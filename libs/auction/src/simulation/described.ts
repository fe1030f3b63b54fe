import {
  AffinityRule,
  CellCapacity,
  DeviceCount,
  IsInteger,
  IsName,
  IsNameList,
  IsPart,
  IsPartList,
  IsTextMap,
  LIMITS,
  Optional,
} from '#rivera/models';

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

  @Optional()
  @IsTextMap({ max: LIMITS.nameBytes }, { max: LIMITS.cellLabels })
  labels?: Record<string, string>;

  @Optional()
  @IsName()
  pool?: string;

  @Optional()
  @IsInteger({ min: 1 })
  maxStarting?: number;
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

  @Optional()
  @IsInteger({ min: 0 })
  cpuMillicores?: number;

  @Optional()
  @IsInteger({ min: 0 })
  ports?: number;

  @Optional()
  @IsPartList(() => DeviceCount, { max: LIMITS.devices })
  devices?: DeviceCount[];

  @Optional()
  @IsInteger({ min: -LIMITS.priority, max: LIMITS.priority })
  priority?: number;

  @Optional()
  @IsPartList(() => AffinityRule, { max: LIMITS.affinityRules })
  affinity?: AffinityRule[];
}
