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
    const [one, other] = [records.view(encoding, ({ name }) => name), records.view(encoding, () => 1)];
    const first = one(stored('a'));
    expect(one(stored('a'))).toBe(first);
    expect([first.item.subarray(2), first.facets]).toEqual([encode({ name: 'a' }), 'a']);
    expect(encoding).toHaveBeenCalledTimes(1);
    expect(one(stored('a', 'e:1')).version).toBe('e:1');
    expect(other(stored('a', 'e:1')).facets).toBe(1);
    expect(one(stored('a', 'e:11')).version).toBe('e:11');
    expect(one(stored('a', 'e:1')).version).toBe('e:1');
    expect(encoding).toHaveBeenCalledTimes(5);
  });

  it('that nobody asks for go when there are too many', () => {
    // Room for two in each generation.
    const records = new EncodedRecords(850);
    const encoding = vi.fn(encode);
    const item = records.view(encoding, () => undefined);
    const ask = (name: string) => item(stored(name));
    for (const name of ['a', 'b', 'c', 'a', 'd']) ask(name);
    expect(encoding).toHaveBeenCalledTimes(4);
    ask('a');
    ask('d');
    expect(encoding).toHaveBeenCalledTimes(4);
    for (const name of ['e', 'f', 'g', 'h']) ask(name);
    expect(encoding).toHaveBeenCalledTimes(8);
    ask('a');
    expect(encoding).toHaveBeenCalledTimes(9);
  });
});
