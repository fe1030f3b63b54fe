import { LIMITS } from './validation/limits.js';
import { Optional } from './validation/rule.js';
import { IsName, IsOneOf, IsPartList, IsPort } from './validation/rules.js';

export class PortMapping {
  @IsPort()
  containerPort: number;

  @IsPort()
  hostPort: number;

  /** Where the instance's proxy takes TLS for `containerPort`, inside the container. */
  @Optional()
  @IsPort()
  containerTlsProxyPort?: number;

  /** The same, on the cell. */
  @Optional()
  @IsPort()
  hostTlsProxyPort?: number;
}

/** Where a running instance is reached (Diego BBS, ActualLRPNetInfo). */
export class ActualLRPNetInfo {
  /** Address of the cell, where `hostPort` is reached. */
  @IsName()
  address: string;

  @IsPartList(() => PortMapping, { max: LIMITS.portMappings })
  ports: PortMapping[];

  /** Address of the container itself, where `containerPort` is reached. */
  @Optional()
  @IsName()
  instanceAddress?: string;

  @Optional()
  @IsName()
  instanceIpv6Address?: string;

  @Optional()
  @IsOneOf(['UNKNOWN', 'INSTANCE', 'HOST'])
  preferredAddress?: 'UNKNOWN' | 'INSTANCE' | 'HOST';
}
