import { aCell, aRunningActualLRP, aSchedulingInfo, aTag, aTask, anActualLRP } from '#test/builders.js';
import { type RecordChange, recordId } from './change.js';
import { eventsOf } from './events.js';

const typesOf = (...transition: RecordChange[]) => eventsOf(transition).map(({ type }) => type);
const next = <T extends { modificationTag: { epoch: string; index: number } }>(
  record: T,
  fields: Partial<T> = {},
): T => ({
  ...record,
  modificationTag: { ...record.modificationTag, index: record.modificationTag.index + 1 },
  ...fields,
});

describe('eventsOf', () => {
  it.each([
    ['desired', aSchedulingInfo(), 'desired_lrp'],
    ['task', aTask(), 'task'],
    ['cell', aCell(), 'cell'],
    ['actual', anActualLRP(), 'actual_lrp'],
  ] as const)('a %s record is created, changed, removed', (kind, record, name) => {
    const changed = next<typeof record>(record);
    expect(eventsOf([{ kind, after: record } as RecordChange])).toEqual([
      { type: `${name}_created`, after: record },
    ]);
    expect(eventsOf([{ kind, before: record, after: changed } as RecordChange])).toEqual([
      { type: `${name}_changed`, before: record, after: changed },
    ]);
    expect(eventsOf([{ kind, before: changed } as RecordChange])).toEqual([
      { type: `${name}_removed`, before: changed },
    ]);
  });

  it('run halves and domains are not told about', () => {
    const run = { processGuid: 'p', action: {}, modificationTag: aTag() };
    const domain = { domain: 'd', modificationTag: aTag() };
    expect(typesOf({ kind: 'run', after: run } as RecordChange, { kind: 'domain', after: domain })).toEqual(
      [],
    );
  });

  it('an UNCLAIMED instance that stays UNCLAIMED, or is claimed, is one that changed', () => {
    const before = anActualLRP();
    expect(typesOf({ kind: 'actual', before, after: next(before, { placementError: 'no room' }) })).toEqual([
      'actual_lrp_changed',
    ]);
    const claimed = next(before, { state: 'CLAIMED', instanceGuid: 'mine', cellId: 'cell-1' });
    expect(typesOf({ kind: 'actual', before, after: claimed })).toEqual(['actual_lrp_changed']);
  });

  it.each([
    [
      'lost its key',
      (row: ReturnType<typeof aRunningActualLRP>) => ({
        ...anActualLRP(),
        modificationTag: next(row).modificationTag,
      }),
    ],
    ['was made anew', () => anActualLRP()],
  ])('a record that %s is one created and one removed', (_what, afterOf) => {
    const before = aRunningActualLRP();
    const after = afterOf(before);
    expect(eventsOf([{ kind: 'actual', before, after }])).toEqual([
      { type: 'actual_lrp_created', after },
      { type: 'actual_lrp_removed', before },
    ]);
  });

  it('one without a key that is made anew is removed first, because both are the same to who follows', () => {
    const before = anActualLRP({ state: 'CRASHED' });
    const after = anActualLRP({ processGuid: before.processGuid });
    expect(eventsOf([{ kind: 'actual', before, after }])).toEqual([
      { type: 'actual_lrp_removed', before },
      { type: 'actual_lrp_created', after },
    ]);
  });

  it('a key that moves between presences is one changed, in whichever order the records are written', () => {
    const running = aRunningActualLRP();
    const suspect = next(running, { presence: 'SUSPECT' });
    const fresh = anActualLRP();
    const lost: RecordChange[] = [
      { kind: 'actual', before: running, after: fresh },
      { kind: 'actual', after: suspect },
    ];
    const expected = [
      { type: 'actual_lrp_changed', before: running, after: suspect },
      { type: 'actual_lrp_created', after: fresh },
    ];
    expect(eventsOf(lost)).toEqual(expected);
    expect(eventsOf(lost.toReversed())).toEqual(expected);
  });

  it('a suspect that takes its slot back is changed; who stood there meanwhile is removed, last', () => {
    const suspect = aRunningActualLRP({ presence: 'SUSPECT' });
    const back = next(suspect, { presence: 'ORDINARY' });
    const replacement = aRunningActualLRP({ instanceGuid: 'theirs', state: 'CLAIMED' });
    expect(
      eventsOf([
        { kind: 'actual', before: suspect },
        { kind: 'actual', before: replacement, after: back },
      ]),
    ).toEqual([
      { type: 'actual_lrp_changed', before: suspect, after: back },
      { type: 'actual_lrp_removed', before: replacement },
    ]);
  });
});

describe('recordId', () => {
  it('tells the records of one shard apart', () => {
    const actual = anActualLRP({ processGuid: 'p', index: 3, presence: 'SUSPECT' });
    expect(recordId({ kind: 'actual', before: actual })).toBe('p/3/SUSPECT');
    expect(recordId({ kind: 'desired', after: aSchedulingInfo({ processGuid: 'p' }) })).toBe('p');
    expect(recordId({ kind: 'task', after: aTask({ taskGuid: 't' }) })).toBe('t');
    expect(recordId({ kind: 'cell', after: aCell({ cellId: 'c' }) })).toBe('c');
    expect(recordId({ kind: 'domain', after: { domain: 'd', modificationTag: aTag() } })).toBe('d');
    expect(() => recordId({ kind: 'task' })).toThrow(/neither before nor after/);
  });
});
