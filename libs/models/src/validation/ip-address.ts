/** An address as a number, to compare two of the same family. */
interface IpAddress {
  bits: 32 | 128;
  value: bigint;
}

const OCTET = /^(0|[1-9]\d{0,2})$/;
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const GROUP = /^[0-9a-fA-F]{1,4}$/;

function parseIPv4(text: string): bigint | undefined {
  const octets = text.split('.');
  if (octets.length !== 4 || !octets.every((octet) => OCTET.test(octet) && Number(octet) <= 255))
    return undefined;
  return BigInt(octets.reduce((value, octet) => value * 256 + Number(octet), 0));
}

/** `a:b:1.2.3.4` → `a:b:102:304`. */
function withoutDottedTail(text: string): string | undefined {
  if (!text.includes('.')) return text;
  const cut = text.lastIndexOf(':') + 1;
  const tail = parseIPv4(text.slice(cut));
  return tail === undefined
    ? undefined
    : `${text.slice(0, cut)}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`;
}

function parseIPv6(text: string): bigint | undefined {
  const halves = withoutDottedTail(text)?.split('::') ?? [];
  if (halves.length === 0 || halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array<string>(missing).fill('0'), ...tail];
  if (!groups.every((group) => GROUP.test(group))) return undefined;
  return BigInt(`0x${groups.map((group) => group.padStart(4, '0')).join('')}`);
}

/** An IPv4 address in four decimal octets or an IPv6 address without a zone; leading zeros are refused as ambiguous. */
export function parseIp(text: string): IpAddress | undefined {
  if (text.length > 45) return undefined;
  const isV6 = text.includes(':');
  const value = isV6 ? parseIPv6(text) : parseIPv4(text);
  return value === undefined ? undefined : { bits: isV6 ? 128 : 32, value };
}

/** Bits of an address as `parseIp` takes it, without its value. */
function bitsOf(text: string): 32 | 128 | undefined {
  if (IPV4.test(text)) return 32;
  return parseIp(text)?.bits;
}

function isCidr(text: string): boolean {
  const slash = text.indexOf('/');
  const bits = bitsOf(text.slice(0, slash));
  const prefix = text.slice(slash + 1);
  return bits !== undefined && OCTET.test(prefix) && Number(prefix) <= bits;
}

function isRange(text: string): boolean {
  const [first = '', last = '', ...more] = text.split('-');
  const from = parseIp(first);
  const to = parseIp(last);
  return !!from && !!to && more.length === 0 && from.bits === to.bits && from.value <= to.value;
}

/** One destination of an egress rule: an address, a CIDR block, or a range whose first is not above its last. */
export function isDestination(text: string): boolean {
  if (text.includes('/')) return isCidr(text);
  return text.includes('-') ? isRange(text) : bitsOf(text) !== undefined;
}
