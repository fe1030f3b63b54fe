import * as fc from 'fast-check';
import { Cursor } from './cursor.js';
import { ALL_SHARDS, SHARD_COUNT } from './shards.js';

const positionsOf = (cursor: Cursor) => ALL_SHARDS.map((shard) => cursor.position(shard));
const sequence = fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: Number.MAX_SAFE_INTEGER }));
const positions = fc.array(sequence, { minLength: SHARD_COUNT, maxLength: SHARD_COUNT });

describe('Cursor', () => {
  it('is what it was after a way through text', () => {
    fc.assert(
      fc.property(positions, (numbers) => {
        const text = Cursor.from(numbers).toString();
        expect(text).toMatch(/^[\w-]+$/);
        expect(positionsOf(Cursor.parse(text))).toEqual(numbers);
      }),
      { numRuns: 200 },
    );
  });

  it('is short: some 90 characters at the start, under 260 after a hundred million events', () => {
    expect(Cursor.start().toString().length).toBeLessThan(90);
    expect(Cursor.from(ALL_SHARDS.map(() => 1.5e6)).toString().length).toBeLessThan(265);
  });

  it.each([
    ['nothing', ''],
    ['a number', '42'],
    ['a sentence', 'where was I?'],
    ['one shard too few', Buffer.alloc(SHARD_COUNT - 1).toString('base64url')],
    ['one shard too many', Buffer.alloc(SHARD_COUNT + 1).toString('base64url')],
    [
      'a position without an end',
      Buffer.concat([Buffer.alloc(SHARD_COUNT), Buffer.from([0x80])]).toString('base64url'),
    ],
    [
      'a position beyond all numbers',
      Buffer.concat([Buffer.alloc(9, 0xff), Buffer.alloc(SHARD_COUNT)]).toString('base64url'),
    ],
    ['something appended', `${Cursor.start().toString()}\n; DROP TABLE`],
    [
      'the same in another alphabet',
      Cursor.from(ALL_SHARDS.map(() => 127))
        .toString()
        .replaceAll('_', '/') + '=',
    ],
  ])('refuses %s', (_what, text) => {
    expect(() => Cursor.parse(text)).toThrow(expect.objectContaining({ code: 'invalid-request' }));
  });

  it('refuses whatever it did not write itself', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.base64String(),
          fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64url')),
        ),
        (text) => {
          try {
            expect(Cursor.parse(text).toString()).toBe(text);
          } catch (error) {
            expect(error).toMatchObject({ code: 'invalid-request' });
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('moves on shard by shard, a copy by itself', () => {
    const cursor = Cursor.start();
    const copy = cursor.copy();
    cursor.advance(3, 7);
    expect([cursor.position(3), copy.position(3), cursor.position(4)]).toEqual([7, 0, 0]);
  });
});
