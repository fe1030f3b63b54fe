import type { EgressRule } from '#rivera/garden';
import { RiveraError, type SecurityGroupRule } from '#rivera/models';

/** Security group rules in the garden's words (Diego executor, egress rules to net-out rules). */
export function egressOf(rules: SecurityGroupRule[]): EgressRule[] {
  return rules.map(({ protocol, destinations, ports, portRange, icmpInfo, log }) => {
    if (protocol === 'icmpv6') {
      throw new RiveraError('unsupported', 'egress rules for icmpv6 cannot be kept: containers have no IPv6');
    }
    const ranges = [
      ...(ports ?? []).map((port) => ({ start: port, end: port })),
      ...(portRange === undefined ? [] : [portRange]),
    ];
    return {
      protocol,
      destinations: destinations.flatMap((destination) => destination.split(',').map((one) => one.trim())),
      ...(ranges.length === 0 ? {} : { ports: ranges }),
      ...(icmpInfo === undefined ? {} : { icmp: icmpInfo }),
      ...(log ? { log } : {}),
    };
  });
}
