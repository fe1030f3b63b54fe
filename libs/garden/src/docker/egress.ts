import { RiveraError } from '#rivera/models';
import type { EgressRule } from '../container.js';

const ADDRESS_BITS = 32;

/**
 * Egress rules as the input of `iptables-restore`, for the network namespace of one container (guardian, net-out). What
 * answers a connection from outside, and what stays inside, goes out in any case; everything else needs a rule, and is
 * refused so that the program hears of it at once.
 */
export function egressFilter(rules: readonly EgressRule[], options: { canLog: boolean }): string {
  return [
    '*filter',
    ':INPUT ACCEPT [0:0]',
    ':FORWARD DROP [0:0]',
    ':OUTPUT DROP [0:0]',
    '-A OUTPUT -o lo -j ACCEPT',
    '-A OUTPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    ...rules.flatMap((rule) => linesOf(rule, options)),
    '-A OUTPUT -j REJECT --reject-with icmp-port-unreachable',
    'COMMIT',
    '',
  ].join('\n');
}

function linesOf(rule: EgressRule, { canLog }: { canLog: boolean }): string[] {
  const matches = rule.destinations
    .flatMap(blocksOf)
    .flatMap((block) => protocolMatches(rule).map((match) => `-A OUTPUT -d ${block}${match}`));
  return matches.flatMap((match) => [
    ...(rule.log && canLog
      ? [`${match} -m conntrack --ctstate NEW -j LOG --log-prefix "rivera-egress "`]
      : []),
    `${match} -j ACCEPT`,
  ]);
}

function protocolMatches({ protocol, ports = [], icmp }: EgressRule): string[] {
  if (protocol === 'all') return [''];
  if (protocol === 'icmp') {
    if (icmp === undefined || icmp.type === -1) return [' -p icmp'];
    return [` -p icmp --icmp-type ${icmp.type}${icmp.code === -1 ? '' : `/${icmp.code}`}`];
  }
  if (ports.length === 0) return [` -p ${protocol}`];
  return ports.map(({ start, end }) => ` -p ${protocol} --dport ${start}:${end}`);
}

/** An address, a block or a range `first-last` as blocks: the kernel's own match for ranges is not everywhere. */
export function blocksOf(destination: string): string[] {
  const [first = '', last] = destination.split('-', 2).map((part) => part.trim());
  if (last !== undefined) return blocksOfRange(numberOf(first, destination), numberOf(last, destination));
  const [address = '', bits = `${ADDRESS_BITS}`] = first.split('/', 2);
  if (!/^\d{1,2}$/.test(bits) || Number(bits) > ADDRESS_BITS) throw notADestination(destination);
  return [`${addressOf(numberOf(address, destination))}/${Number(bits)}`];
}

/** The largest blocks that lie in the range, from its beginning. */
function blocksOfRange(first: number, last: number): string[] {
  const blocks: string[] = [];
  for (let next = first; next <= last;) {
    let bits = ADDRESS_BITS;
    while (bits > 0 && next % 2 ** (ADDRESS_BITS - bits + 1) === 0) {
      if (next + 2 ** (ADDRESS_BITS - bits + 1) - 1 > last) break;
      bits -= 1;
    }
    blocks.push(`${addressOf(next)}/${bits}`);
    next += 2 ** (ADDRESS_BITS - bits);
  }
  return blocks;
}

function numberOf(address: string, destination: string): number {
  const parts = address.split('.').map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : Number.NaN));
  if (parts.length !== 4 || !parts.every((part) => part <= 255)) throw notADestination(destination);
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

function addressOf(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

function notADestination(destination: string): RiveraError {
  return new RiveraError(
    'invalid-request',
    `The egress destination ${destination} is neither an IPv4 address nor a block nor a range of them.`,
  );
}
