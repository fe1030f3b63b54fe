import { defined, withFields } from './with-fields.js';

describe('a record with other fields', () => {
  const record: { a: number; b?: number; c?: number } = { a: 1, b: 2 };

  it('has the last that was said of each, and is another one', () => {
    expect(withFields(record, { b: 3 }, { b: 4, c: 5 })).toStrictEqual({ a: 1, b: 4, c: 5 });
    expect(record).toStrictEqual({ a: 1, b: 2 });
  });

  it('loses those that are undefined, unless they are taken out before', () => {
    expect(withFields(record, { b: undefined })).toStrictEqual({ a: 1 });
    expect(withFields(record, defined({ b: undefined }))).toStrictEqual({ a: 1, b: 2 });
  });
});
