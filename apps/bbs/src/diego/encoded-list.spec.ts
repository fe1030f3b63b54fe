import * as wire from '#rivera/diego-wire';
import { Stored } from '#rivera/store';
import { EncodedListAnswer, EncodedRecords, inField } from './encoded-list.js';

interface Named {
  name: string;
}
const stored = (name: string, version = 'e:0') => new Stored<Named>(0, name, `${version} {"name":"${name}"}`);
const encode = ({ name }: Named) => wire.Provider.encode({ name });

describe('a list of messages that are encoded already', () => {
  it('reads as the library would have written it', () => {
    const names = ['a', 'b'.repeat(127), 'c'.repeat(20_000)];
    const items = names.map((name) => inField(2, wire.ActualLRPInternalRoute.encode({ hostname: name })));
    const { domains } = wire.DomainsResponse.decode(
      Buffer.concat(names.map((name) => inField(2, Buffer.from(name)))),
    );
    expect(domains).toEqual(names);
    expect(EncodedListAnswer.encode({ items })).toEqual(Buffer.concat(items));
    const error = { type: wire.ErrorType.ResourceNotFound, message: 'm' };
    expect(EncodedListAnswer.encode({ error })).toEqual(wire.DomainsResponse.encode({ error }));
    expect(EncodedListAnswer.encode({})).toHaveLength(0);
  });
});

describe('records as items', () => {
  it('are encoded once for each version and view', () => {
    const records = new EncodedRecords();
    const encoding = vi.fn(encode);
    const first = records.itemOf('view', stored('a'), encoding);
    expect(records.itemOf('view', stored('a'), encoding)).toBe(first);
    expect(encoding).toHaveBeenCalledTimes(1);
    records.itemOf('view', stored('a', 'e:1'), encoding);
    records.itemOf('other', stored('a', 'e:1'), encoding);
    expect(encoding).toHaveBeenCalledTimes(3);
  });

  it('that nobody asks for go when there are too many', () => {
    const records = new EncodedRecords(650);
    const encoding = vi.fn(encode);
    const ask = (name: string) => records.itemOf('view', stored(name), encoding);
    for (const name of ['a', 'b', 'c', 'a', 'd']) ask(name);
    expect(encoding).toHaveBeenCalledTimes(4);
    ask('a');
    ask('d');
    expect(encoding).toHaveBeenCalledTimes(4);
    ask('b');
    expect(encoding).toHaveBeenCalledTimes(5);
  });
});
