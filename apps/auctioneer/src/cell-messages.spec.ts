import type { Mailboxes } from '#rivera/actor';
import type { CellMessages as Messages } from '#rivera/models';
import { RiveraLogger } from '#rivera/platform';
import { anActualLRP } from '#test/builders.js';
import { CellMessages } from './cell-messages.js';
import type { WorkRecord } from './work-reader.js';

/** Redis cannot be made to hang for one mailbox only, so the mailboxes are stand-ins. */
function messagesTo(tell: (cellId: string, placed: Messages['place']) => Promise<void>): CellMessages {
  const mailboxes = {
    cell: (cellId: string) => ({ tell: (_name: 'place', placed: Messages['place']) => tell(cellId, placed) }),
  };
  const logger = RiveraLogger.create({ app: 'test', destination: { write: () => true } });
  return new CellMessages(mailboxes as unknown as Mailboxes, logger);
}

function placedOn(cellId: string, instanceGuid: string): WorkRecord {
  const placement = { cellId, instanceGuid, deadline: 1 };
  return { kind: 'actual', record: anActualLRP({ placement }) };
}

describe('CellMessages', () => {
  it('tells a cell everything in one message', async () => {
    const told: [string, string[]][] = [];
    const messages = messagesTo((cellId, { lrps }) => {
      told.push([cellId, lrps.map(({ instanceGuid }) => instanceGuid)]);
      return Promise.resolve();
    });
    for (const [cellId, guid] of [
      ['a', '1'],
      ['b', '2'],
      ['a', '3'],
    ] as const) {
      messages.add(placedOn(cellId, guid));
    }
    messages.send();
    await vi.waitFor(() =>
      expect(told).toEqual([
        ['a', ['1', '3']],
        ['b', ['2']],
      ]),
    );
  });

  it('a mailbox that hangs delays nobody else, and gets what came meanwhile together', async () => {
    const told: [string, number][] = [];
    let goOn = (): void => undefined;
    const messages = messagesTo((cellId, { lrps }) => {
      told.push([cellId, lrps.length]);
      return cellId === 'hung' ? new Promise((resolve) => (goOn = resolve)) : Promise.resolve();
    });
    for (let round = 0; round < 5; round += 1) {
      messages.add(placedOn('hung', `${round}`));
      messages.add(placedOn('well', `${round}`));
      messages.send();
      await vi.waitFor(() => expect(told.filter(([cellId]) => cellId === 'well')).toHaveLength(round + 1));
    }
    expect(told.filter(([cellId]) => cellId === 'hung')).toEqual([['hung', 1]]);
    goOn();
    await vi.waitFor(() =>
      expect(told.filter(([cellId]) => cellId === 'hung')).toEqual([
        ['hung', 1],
        ['hung', 4],
      ]),
    );
  });

  it('goes on after a message that was lost', async () => {
    const told: string[] = [];
    const messages = messagesTo((_cellId, { lrps }) => {
      told.push(...lrps.map(({ instanceGuid }) => instanceGuid));
      return told.length === 1 ? Promise.reject(new Error('no connection')) : Promise.resolve();
    });
    messages.add(placedOn('a', '1'));
    messages.send();
    messages.add(placedOn('a', '2'));
    messages.send();
    await vi.waitFor(() => expect(told).toEqual(['1', '2']));
  });
});
