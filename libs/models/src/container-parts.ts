import { exceedsBytes } from './validation/checks.js';
import { LIMITS } from './validation/limits.js';
import { Optional, objectRule } from './validation/rule.js';
import { IsChecksumAlgorithm, IsInteger, IsLabel, IsName, IsNameList } from './validation/rules.js';
import { IsPath, IsText, IsTextMap, IsUrl, Together } from './validation/rules.js';
import { IsEnvironmentName, IsRelativePlace } from './validation/spec-rules.js';

@objectRule<EnvironmentVariable>('isArgument', ({ name, value }) =>
  exceedsBytes(`${name}=${value}`, LIMITS.argumentBytes)
    ? `.value must be at most ${LIMITS.argumentBytes} bytes long together with its name`
    : undefined,
)
export class EnvironmentVariable {
  @IsEnvironmentName()
  name: string;

  @IsText({ max: LIMITS.argumentBytes })
  value: string;
}

/** A small file mounted read-only into the container (service bindings). */
export class File {
  @IsRelativePlace()
  path: string;

  /** May hold anything, NUL characters too. */
  @IsText({ max: LIMITS.volumeMountedFilesBytes, anyCharacters: true })
  content: string;
}

/** A directory downloaded once per cell and mounted read-only into every container that asks for it. */
@Together<CachedDependency>('checksumAlgorithm', 'checksumValue')
export class CachedDependency {
  @Optional()
  @IsLabel()
  name?: string;

  @IsUrl()
  from: string;

  @IsPath()
  to: string;

  @Optional()
  @IsText({ max: LIMITS.urlBytes })
  cacheKey?: string;

  @Optional()
  @IsLabel()
  logSource?: string;

  @Optional()
  @IsChecksumAlgorithm()
  checksumAlgorithm?: string;

  @Optional()
  @IsName()
  checksumValue?: string;
}

export class CertificateProperties {
  @Optional()
  @IsNameList({ max: LIMITS.organizationalUnits })
  organizationalUnit?: string[];
}

export class Network {
  @Optional()
  @IsTextMap({ max: LIMITS.textBytes }, { max: LIMITS.networkProperties })
  properties?: Record<string, string>;
}

/** Exactly one of the two: a literal, or a value the cell fills in per instance. See `IsMetricTags`. */
export interface MetricTagValue {
  static?: string;
  dynamic?: 'INDEX' | 'INSTANCE_GUID';
}

/** -1 is unlimited (the default), 0 drops all output. */
export class LogRateLimit {
  @IsInteger({ min: -1 })
  bytesPerSecond: number;
}
