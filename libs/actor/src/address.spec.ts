import { AUCTIONEER, cellAddress, CONVERGER, mailboxQueue } from './address.js';

describe('addresses', () => {
  it.each([
    [cellAddress('1'), '{cell-1}'],
    [cellAddress('zone-a.rack_2'), '{cell-zone-a.rack_2}'],
    [AUCTIONEER, '{auctioneer}'],
    [CONVERGER, '{converger}'],
  ])('%s lives under %s', (address, prefix) => {
    expect(mailboxQueue(address)).toEqual({ name: 'mailbox', prefix });
  });

  it.each(['', '*', 'a:b', 'a{b}', 'a?', '[ab]', 'a/b', 'x'.repeat(129)])(
    'refuse the cell id %j',
    (cellId) => {
      expect(() => cellAddress(cellId)).toThrow(expect.objectContaining({ code: 'invalid-request' }));
      expect(() => mailboxQueue(`cell.${cellId}`)).toThrow(
        expect.objectContaining({ code: 'invalid-request' }),
      );
    },
  );

  it('refuse an unknown actor', () => {
    expect(() => mailboxQueue('bbs')).toThrow(/no actor at "bbs"/);
  });
});
