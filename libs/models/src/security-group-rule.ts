import { destination, listOf } from './validation/checks.js';
import { LIMITS } from './validation/limits.js';
import { Optional, objectRule, propertyRule } from './validation/rule.js';
import { InOrder, IsFlag, IsInteger, IsOneOf, IsPart, IsPort } from './validation/rules.js';
import { IsPortList, IsTextList } from './validation/rules.js';

@InOrder<PortRange>('start', 'end')
export class PortRange {
  @IsPort()
  start: number;

  @IsPort()
  end: number;
}

/** -1 stands for all types or codes. */
export class IcmpInfo {
  @IsInteger({ min: -1, max: 255 })
  type: number;

  @IsInteger({ min: -1, max: 255 })
  code: number;
}

export const SECURITY_GROUP_PROTOCOLS = ['tcp', 'udp', 'icmp', 'icmpv6', 'all'] as const;
export type SecurityGroupProtocol = (typeof SECURITY_GROUP_PROTOCOLS)[number];

/** tcp and udp name their ports one way or the other; the rest has none (Diego BBS, SecurityGroupRule). */
function portsFitProtocol({ protocol, ports, portRange }: SecurityGroupRule): string | undefined {
  const given = [Array.isArray(ports) && ports.length > 0, portRange !== undefined].filter(Boolean).length;
  if (protocol === 'tcp' || protocol === 'udp') {
    return given === 1 ? undefined : `must have exactly one of ports and portRange for protocol ${protocol}`;
  }
  return given === 0 ? undefined : `must have neither ports nor portRange for protocol ${protocol}`;
}

/** Only icmp and icmpv6 have, and need, ICMP information (Diego BBS, SecurityGroupRule). */
function icmpInfoFitsProtocol({ protocol, icmpInfo }: SecurityGroupRule): string | undefined {
  const isIcmp = protocol === 'icmp' || protocol === 'icmpv6';
  if (isIcmp)
    return icmpInfo === undefined ? `.icmpInfo is missing; protocol ${protocol} needs it` : undefined;
  return icmpInfo === undefined ? undefined : `.icmpInfo must not be set for protocol ${protocol}`;
}

const whereProtocolIsKnown =
  (check: (rule: SecurityGroupRule) => string | undefined) =>
  (rule: SecurityGroupRule): string | undefined =>
    SECURITY_GROUP_PROTOCOLS.includes(rule.protocol) ? check(rule) : undefined;

/** One allowed direction of outgoing traffic. */
@objectRule<SecurityGroupRule>('portsFitProtocol', whereProtocolIsKnown(portsFitProtocol))
@objectRule<SecurityGroupRule>('icmpInfoFitsProtocol', whereProtocolIsKnown(icmpInfoFitsProtocol))
export class SecurityGroupRule {
  @IsOneOf(SECURITY_GROUP_PROTOCOLS)
  protocol: SecurityGroupProtocol;

  /** Each an address, a CIDR block, a range `first-last`, or several of these joined by commas. */
  @propertyRule('isDestinationList', listOf(destination, { min: 1, max: LIMITS.egressRuleEntries }))
  destinations: string[];

  @Optional()
  @IsPortList({ max: LIMITS.egressRuleEntries })
  ports?: number[];

  @Optional()
  @IsPart(() => PortRange)
  portRange?: PortRange;

  @Optional()
  @IsPart(() => IcmpInfo)
  icmpInfo?: IcmpInfo;

  @Optional()
  @IsFlag()
  log?: boolean;

  @Optional()
  @IsTextList({ max: LIMITS.textBytes }, { max: LIMITS.egressRuleEntries })
  annotations?: string[];
}
