import {
  BUILT_AT,
  aCell,
  aRunningActualLRP,
  aSchedulingInfo,
  aTag,
  aTask,
  aTaskDefinition,
  anActualLRP,
} from '#test/builders.js';
import {
  COMPLETED_TASK_EXPIRY_MS,
  dueAfter,
  indexEntries,
  MISSING_CELL_EXPIRY_MS,
  PENDING_TASK_EXPIRY_MS,
  RESOLVING_TASK_EXPIRY_MS,
  STALE_UNPLACED_MS,
} from './indexes.js';

const placement = { instanceGuid: 'mine', cellId: 'cell-1', deadline: BUILT_AT + 7 };
const lrp = (fields: Parameters<typeof anActualLRP>[0] = {}) =>
  indexEntries('actual', anActualLRP({ processGuid: 'my-app', ...fields })).map(
    ({ index, member, score }) => [index, member, score],
  );
const task = (fields: Parameters<typeof aTask>[0] = {}) =>
  indexEntries('task', aTask({ taskGuid: 't', ...fields })).map(({ index, member, score }) => [
    index,
    member,
    score,
  ]);

describe('indexEntries of an actual LRP', () => {
  const member = 'lrp/my-app/0/ORDINARY';

  it.each([
    [
      'UNCLAIMED',
      {},
      [
        ['unplaced', member, BUILT_AT],
        ['due', member, BUILT_AT + STALE_UNPLACED_MS],
      ],
    ],
    [
      'placed',
      { placement },
      [
        ['by-cell', `cell-1/${member}`, 0],
        ['due', member, BUILT_AT + 7],
      ],
    ],
    [
      'CRASHED with a back-off',
      { state: 'CRASHED', restartAt: BUILT_AT + 9 },
      [['due', member, BUILT_AT + 9]],
    ],
    ['CRASHED for good', { state: 'CRASHED' }, []],
    ['RUNNING', { ...aRunningActualLRP(), processGuid: 'my-app' }, [['by-cell', `cell-1/${member}`, 0]]],
    [
      'SUSPECT',
      { ...aRunningActualLRP(), processGuid: 'my-app', presence: 'SUSPECT' },
      [['by-cell', 'cell-1/lrp/my-app/0/SUSPECT', 0]],
    ],
  ] as const)('that is %s', (_state, fields, expected) => {
    expect(lrp(fields)).toEqual(expected);
  });
});

describe('indexEntries of a task', () => {
  it.each([
    [
      'PENDING',
      {},
      [
        ['unplaced', 'task/t', BUILT_AT],
        ['due', 'task/t', BUILT_AT + STALE_UNPLACED_MS],
      ],
    ],
    [
      'PENDING and rejected a moment ago',
      { updatedAt: BUILT_AT + 5 },
      [
        ['unplaced', 'task/t', BUILT_AT],
        ['due', 'task/t', BUILT_AT + 5 + STALE_UNPLACED_MS],
      ],
    ],
    [
      'PENDING for so long that it will expire first',
      { updatedAt: BUILT_AT + PENDING_TASK_EXPIRY_MS - 1 },
      [
        ['unplaced', 'task/t', BUILT_AT],
        ['due', 'task/t', BUILT_AT + PENDING_TASK_EXPIRY_MS],
      ],
    ],
    [
      'placed',
      { placement },
      [
        ['by-cell', 'cell-1/task/t', 0],
        ['due', 'task/t', BUILT_AT + 7],
      ],
    ],
    ['RUNNING', { state: 'RUNNING', cellId: 'cell-1' }, [['by-cell', 'cell-1/task/t', 0]]],
    [
      'COMPLETED',
      { state: 'COMPLETED', firstCompletedAt: BUILT_AT + 1, updatedAt: BUILT_AT + 2 },
      [['due', 'task/t', BUILT_AT + 1 + COMPLETED_TASK_EXPIRY_MS]],
    ],
    [
      'RESOLVING',
      { state: 'RESOLVING', firstCompletedAt: BUILT_AT + 1, updatedAt: BUILT_AT + 2 },
      [['due', 'task/t', BUILT_AT + 2 + RESOLVING_TASK_EXPIRY_MS]],
    ],
  ] as const)('that is %s', (_state, fields, expected) => {
    expect(task(fields)).toEqual(expected);
  });
});

describe('indexEntries of a task with a completion callback', () => {
  it('waits to be called back while it is COMPLETED and nobody takes care of it', () => {
    const definition = aTaskDefinition({ completionCallbackUrl: 'https://example.com/done' });
    expect(task({ definition, state: 'COMPLETED', updatedAt: BUILT_AT + 2 })[0]).toEqual([
      'callback',
      't',
      BUILT_AT + 2,
    ]);
    for (const state of ['PENDING', 'RUNNING', 'RESOLVING'] as const) {
      expect(task({ definition, state }).map(([index]) => index)).not.toContain('callback');
    }
  });
});

describe('indexEntries of the rest', () => {
  it('a MISSING cell and a domain that expires are due', () => {
    const cell = aCell({ cellId: 'c', state: 'MISSING' });
    expect(indexEntries('cell', cell)).toEqual([
      { index: 'due', member: 'cell/c', score: BUILT_AT + MISSING_CELL_EXPIRY_MS },
    ]);
    expect(indexEntries('domain', { domain: 'd', expiresAt: 9, modificationTag: aTag() })).toEqual([
      { index: 'due', member: 'domain/d', score: 9 },
    ]);
  });

  it('nothing else is', () => {
    expect(indexEntries('cell', aCell())).toEqual([]);
    expect(indexEntries('domain', { domain: 'd', modificationTag: aTag() })).toEqual([]);
    expect(indexEntries('desired', aSchedulingInfo())).toEqual([]);
    expect(indexEntries('actual', undefined)).toEqual([]);
  });
});

describe('dueAfter', () => {
  const waits = anActualLRP({ processGuid: 'my-app' });
  const runs = { ...aRunningActualLRP(), processGuid: 'my-app' };
  const member = 'lrp/my-app/0/ORDINARY';

  it('takes the last word on a record', () => {
    expect([...dueAfter([{ type: 'actual_lrp_created', after: waits }])]).toEqual([
      [member, BUILT_AT + STALE_UNPLACED_MS],
    ]);
    const changed = { type: 'actual_lrp_changed', before: waits, after: runs } as const;
    expect([...dueAfter([{ type: 'actual_lrp_created', after: waits }, changed])]).toEqual([]);
  });

  it('keeps what a record begins with that is told before the end of the one before it', () => {
    const restarted = [
      { type: 'actual_lrp_created', after: waits },
      { type: 'actual_lrp_removed', before: runs },
    ] as const;
    expect([...dueAfter(restarted)]).toEqual([[member, BUILT_AT + STALE_UNPLACED_MS]]);
  });

  it('knows tasks, and says nothing of what is never due', () => {
    const [given, running] = [aTask({ taskGuid: 't', placement }), aTask({ state: 'RUNNING', cellId: 'c' })];
    expect([...dueAfter([{ type: 'task_created', after: given }])]).toEqual([['task/t', BUILT_AT + 7]]);
    expect([...dueAfter([{ type: 'task_changed', before: given, after: running }])]).toEqual([]);
  });
});
