import type { Session } from '#rivera/session';
import { type BbsHarness, startBbs } from '#test/bbs.js';
import { aDesiredLRP } from '#test/builders.js';
import { type LinkedCell, startLinkedCell } from '#test/linked-cell.js';

let bbs: BbsHarness;
let linked: LinkedCell;
let guid: string;

/** Goes on until the other side leaves. */
const forEver = async (session: Session): Promise<void> => {
  await session.send({ type: 'opened' });
  await session.closed;
};

beforeAll(async () => {
  bbs = await startBbs();
  linked = await startLinkedCell(bbs, 'cell-1', { exec: forEver }, { maxSessions: 2 });
  ({ processGuid: guid } = await bbs.client().desireLRP(aDesiredLRP()));
  await linked.cell.run(guid);
});
afterAll(async () => {
  await linked.stop();
  await bbs.stop();
});

describe('the link of a cell', () => {
  it('serves so many sessions and no more, until some have ended', async () => {
    const exec = () => bbs.client().exec(guid, 0, { path: 'sh' });
    const [first, second] = [await exec(), await exec()];
    await expect(exec()).rejects.toMatchObject({
      code: 'too-many-requests',
      message: /Cell cell-1 serves 2/,
    });
    first.leave();
    await vi.waitFor(() => expect(linked.sessions).toBe(1));
    (await exec()).leave();
    second.leave();
    await vi.waitFor(() => expect(linked.sessions).toBe(0));
  });

  it('is told twice, or by a bbs that has gone, without harm', async () => {
    linked.link.connect({ sessionId: 'unknown', url: bbs.url });
    linked.link.connect({ sessionId: 'some', url: 'http://127.0.0.1:1' });
    (await bbs.client().exec(guid, 0, { path: 'sh' })).leave();
    await vi.waitFor(() =>
      expect(linked.log.filter((line) => line.includes('failed-to-join-session'))).toHaveLength(2),
    );
  });

  it('refuses what it does not know', async () => {
    const session = await linked.connected();
    await session.send({ type: 'open', request: { kind: 'dance' } as never });
    expect(await session.next(5_000)).toMatchObject({ type: 'error', code: 'unsupported' });
    const another = await linked.connected();
    await another.send({ type: 'eof' });
    expect(await another.next(5_000)).toMatchObject({ type: 'error', code: 'invalid-request' });
  });
});
