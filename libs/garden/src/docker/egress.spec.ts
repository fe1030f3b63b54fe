import { fc, test } from '@fast-check/vitest';
import { blocksOf, egressFilter } from './egress.js';

const numberOf = (address: string): number =>
  address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
const addressOf = (value: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');

describe('blocksOf', () => {
  it.each([
    ['10.0.0.1', ['10.0.0.1/32']],
    ['10.0.0.0/8', ['10.0.0.0/8']],
    ['0.0.0.0/0', ['0.0.0.0/0']],
    ['0.0.0.0-255.255.255.255', ['0.0.0.0/0']],
    ['10.0.0.1-10.0.0.4', ['10.0.0.1/32', '10.0.0.2/31', '10.0.0.4/32']],
    ['10.0.0.5 - 10.0.0.5', ['10.0.0.5/32']],
  ])('%s', (destination, blocks) => {
    expect(blocksOf(destination)).toEqual(blocks);
  });

  it.each(['10.0.0', '10.0.0.256', 'example.com', '10.0.0.1/33', '10.0.0.1-x', '::1', '1.2.3.4 -j ACCEPT'])(
    'refuses %s',
    (destination) => {
      expect(() => blocksOf(destination)).toThrow(expect.objectContaining({ code: 'invalid-request' }));
    },
  );

  const address = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  test.prop([address, address])('covers a range without a gap and nothing else', (a, b) => {
    const [first, last] = [Math.min(a, b), Math.max(a, b)];
    let next = first;
    for (const block of blocksOf(`${addressOf(first)}-${addressOf(last)}`)) {
      const [base = '', bits] = block.split('/');
      expect(numberOf(base)).toBe(next);
      expect(next % 2 ** (32 - Number(bits))).toBe(0);
      next += 2 ** (32 - Number(bits));
    }
    expect(next).toBe(last + 1);
  });
});

describe('egressFilter', () => {
  const accepted = (...rules: Parameters<typeof egressFilter>[0]): string[] =>
    egressFilter(rules, { canLog: true })
      .split('\n')
      .filter((line) => line.startsWith('-A OUTPUT -d'));

  it('without rules lets out what answers or stays inside, and refuses the rest', () => {
    expect(
      egressFilter([], { canLog: true })
        .split('\n')
        .filter((line) => line.startsWith('-A')),
    ).toEqual([
      '-A OUTPUT -o lo -j ACCEPT',
      '-A OUTPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
      '-A OUTPUT -j REJECT --reject-with icmp-port-unreachable',
    ]);
  });

  it('has a line for each destination and range of ports', () => {
    const ports = [
      { start: 80, end: 80 },
      { start: 8000, end: 8999 },
    ];
    expect(accepted({ protocol: 'tcp', destinations: ['10.0.0.0/8', '192.168.0.1'], ports })).toEqual([
      '-A OUTPUT -d 10.0.0.0/8 -p tcp --dport 80:80 -j ACCEPT',
      '-A OUTPUT -d 10.0.0.0/8 -p tcp --dport 8000:8999 -j ACCEPT',
      '-A OUTPUT -d 192.168.0.1/32 -p tcp --dport 80:80 -j ACCEPT',
      '-A OUTPUT -d 192.168.0.1/32 -p tcp --dport 8000:8999 -j ACCEPT',
    ]);
  });

  it('knows all protocols and kinds of icmp', () => {
    const destinations = ['10.0.0.1'];
    expect(
      accepted(
        { protocol: 'all', destinations },
        { protocol: 'udp', destinations },
        { protocol: 'icmp', destinations, icmp: { type: 8, code: 0 } },
        { protocol: 'icmp', destinations, icmp: { type: 3, code: -1 } },
        { protocol: 'icmp', destinations, icmp: { type: -1, code: -1 } },
      ),
    ).toEqual([
      '-A OUTPUT -d 10.0.0.1/32 -j ACCEPT',
      '-A OUTPUT -d 10.0.0.1/32 -p udp -j ACCEPT',
      '-A OUTPUT -d 10.0.0.1/32 -p icmp --icmp-type 8/0 -j ACCEPT',
      '-A OUTPUT -d 10.0.0.1/32 -p icmp --icmp-type 3 -j ACCEPT',
      '-A OUTPUT -d 10.0.0.1/32 -p icmp -j ACCEPT',
    ]);
  });

  it('logs new connections of rules that ask for it, where that can be done', () => {
    const rule = { protocol: 'all' as const, destinations: ['10.0.0.1'], log: true };
    expect(accepted(rule)[0]).toContain('-j LOG');
    expect(egressFilter([rule], { canLog: false })).not.toContain('LOG');
  });
});
