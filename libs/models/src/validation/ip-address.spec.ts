import { isDestination, parseIp } from './ip-address.js';

describe('parseIp', () => {
  const good: [string, 32 | 128, bigint][] = [
    ['0.0.0.0', 32, 0n],
    ['255.255.255.255', 32, 0xffffffffn],
    ['10.1.2.3', 32, 0x0a010203n],
    ['::', 128, 0n],
    ['::1', 128, 1n],
    ['1::', 128, 1n << 112n],
    ['fe80::A:b', 128, (0xfe80n << 112n) + 0xa000bn],
    ['1:2:3:4:5:6:7:8', 128, 0x00010002000300040005000600070008n],
    ['::ffff:1.2.3.4', 128, 0xffff01020304n],
  ];
  it.each(good)('reads %s', (text, bits, value) => {
    expect(parseIp(text)).toEqual({ bits, value });
  });

  it.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.-4',
    ' 1.2.3.4',
    '1.2.3.4\n',
    '0x1.2.3.4',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    '12345::',
    'g::',
    '::1%eth0',
    '::1.2.3',
    '1.2.3.4::',
  ])('refuses %j', (text) => {
    expect(parseIp(text)).toBeUndefined();
  });
});

describe('isDestination', () => {
  it.each(['1.2.3.4', '0.0.0.0/0', '10.0.0.0/32', '::/128', '1.1.1.1-1.1.1.1', '1.1.1.1-2.0.0.0', '::1-::2'])(
    'accepts %s',
    (text) => {
      expect(isDestination(text)).toBe(true);
    },
  );

  it.each([
    '1.2.3.4/33',
    '::/129',
    '1.2.3.4/',
    '/8',
    '1.2.3.4/08',
    '1.2.3.4/8/8',
    '1.1.1.2-1.1.1.1',
    '1.1.1.1-::2',
    '1.1.1.1-',
    '1.1.1.1-2.2.2.2-3.3.3.3',
    'example.com',
  ])('refuses %s', (text) => {
    expect(isDestination(text)).toBe(false);
  });
});
