import { LIMITS } from './validation/limits.js';
import { Optional } from './validation/rule.js';
import { ExactlyOneOf, IsName, IsOneOf, IsPart, IsText } from './validation/rules.js';

export class SharedDevice {
  @IsName()
  volumeId: string;

  @Optional()
  @IsText({ max: LIMITS.textBytes })
  mountConfig?: string;
}

export class DedicatedDevice {
  @IsName()
  mounterId: string;

  @Optional()
  @IsText({ max: LIMITS.textBytes })
  mountConfig?: string;

  @Optional()
  @IsText({ max: LIMITS.textBytes })
  deviceConfig?: string;
}

/** A volume of exactly one of the two kinds. */
@ExactlyOneOf<VolumeMount>('shared', 'dedicated')
export class VolumeMount {
  @IsName()
  driver: string;

  @Optional()
  @IsText({ max: LIMITS.pathBytes })
  containerDir?: string;

  @IsOneOf(['r', 'rw'])
  mode: 'r' | 'rw';

  @Optional()
  @IsPart(() => SharedDevice)
  shared?: SharedDevice;

  @Optional()
  @IsPart(() => DedicatedDevice)
  dedicated?: DedicatedDevice;
}
