/** Diego BBS reference §3.5, §3.7 and §4.7 as a client and a cell meet them: over HTTP, with what is told about it. */
import type { ActualLRP, CellReport, CellReportResult } from '#rivera/models';
import { type BbsHarness, startBbs } from '../support/bbs.js';
import { aDesiredLRP, aTaskDefinition } from '../support/builders.js';
import { FakeCell, NET_INFO } from '../support/fake-cell.js';
import { Following } from '../support/follow.js';

let bbs: BbsHarness;
let cell: FakeCell;
let other: FakeCell;
let following: Following;
beforeAll(async () => {
  bbs = await startBbs();
  cell = await new FakeCell(bbs, 'cell-1').register();
  other = await new FakeCell(bbs, 'cell-2').register();
  following = await Following.start(bbs.client());
});
afterAll(async () => {
  await following.stop();
  await bbs.stop();
});

const desire = async (fields: object = {}): Promise<string> =>
  (await bbs.client().desireLRP(aDesiredLRP(fields))).processGuid;
const rowsOf = async (processGuid: string): Promise<ActualLRP[]> =>
  (await bbs.client().listActualLRPs({ processGuid })).items;
const statesOf = async (processGuid: string): Promise<string[]> =>
  (await rowsOf(processGuid)).map(({ index, presence, state }) => `${index} ${presence} ${state}`).toSorted();

function guidOf(event: Following['events'][number]): string {
  const record = 'after' in event ? event.after : event.before;
  return 'processGuid' in record
    ? record.processGuid
    : 'taskGuid' in record
      ? record.taskGuid
      : record.cellId;
}

/**
 * Everything that was told of one guid, in this order and nothing else. Events of a guid are ordered, so whatever was
 * told before the last one has come when that has.
 */
async function expectTold(guid: string, ...steps: string[][]): Promise<void> {
  const expected = steps.flat();
  const told = () =>
    following.events
      .filter((event) => guidOf(event) === guid)
      .map((event) => {
        const state = 'after' in event && 'state' in event.after ? ` ${event.after.state}` : '';
        return `${event.type.replace('actual_lrp_', '')}${state}`;
      });
  const [last] = expected.slice(-1);
  await following.until(
    () => told().filter((each) => each === last).length === expected.filter((each) => each === last).length,
  );
  expect(told()).toEqual(expected);
}

/** Desired, placed, claimed and started. */
const STARTED_EVENTS = ['created UNCLAIMED', 'changed UNCLAIMED', 'changed CLAIMED', 'changed RUNNING'];

describe('4.7 events per operation', () => {
  it('Desire, Claim, Start, Crash, Update and Remove', async () => {
    const processGuid = await desire({ instances: 2 });
    const instance = await cell.run(processGuid);
    await instance.crash();
    await bbs.client().updateDesiredLRP(processGuid, { instances: 3 });
    await bbs.client().updateDesiredLRP(processGuid, { instances: 2 });
    await bbs.client().removeDesiredLRP(processGuid);
    await expectTold(
      processGuid,
      ['desired_lrp_created', 'created UNCLAIMED', ...STARTED_EVENTS],
      ['crashed', 'created UNCLAIMED', 'removed'],
      ['created UNCLAIMED', 'desired_lrp_changed'],
      ['removed', 'desired_lrp_changed'],
      ['desired_lrp_removed', 'removed', 'removed'],
    );
  });

  it('a crash that waits, and a heart-beat', async () => {
    const processGuid = await desire({ restartPolicy: { immediateRestarts: 1 } });
    const instance = await cell.run(processGuid);
    await instance.start();
    await instance.crash();
    await expectTold(processGuid, ['desired_lrp_created', ...STARTED_EVENTS, 'crashed', 'changed CRASHED']);
  });

  it('a task', async () => {
    const taskGuid = 'told-task';
    await bbs.client().desireTask({ taskGuid, domain: 'd', definition: aTaskDefinition() });
    await cell.placeTask(taskGuid);
    await cell.report({ type: 'start-task', taskGuid });
    await cell.report({ type: 'complete-task', taskGuid, failed: false });
    await bbs.client().resolveTask(taskGuid);
    await bbs.client().deleteTask(taskGuid);
    const states = ['PENDING', 'RUNNING', 'COMPLETED', 'RESOLVING'];
    await expectTold(taskGuid, [
      'task_created PENDING',
      ...states.map((state) => `task_changed ${state}`),
      'task_removed',
    ]);
  });
});

describe('3.5 evacuation over HTTP', () => {
  const say = async (report: CellReport): Promise<CellReportResult | undefined> =>
    (await cell.report(report))[0];
  const started = { netInfo: NET_INFO, routable: true };

  it('a running instance is kept until its replacement runs', async () => {
    const processGuid = await desire();
    const instance = await cell.run(processGuid);
    const evacuate = () => say({ type: 'evacuate-running', ...instance.key, ...started });
    expect(await evacuate()).toEqual({ ok: true, keepContainer: true });
    expect(await statesOf(processGuid)).toEqual(['0 EVACUATING RUNNING', '0 ORDINARY UNCLAIMED']);
    expect(await evacuate()).toEqual({ ok: true, keepContainer: true });
    await other.run(processGuid);
    expect(await evacuate()).toEqual({ ok: true, keepContainer: false });
    expect(await statesOf(processGuid)).toEqual(['0 ORDINARY RUNNING']);
    await expectTold(
      processGuid,
      ['desired_lrp_created', ...STARTED_EVENTS],
      ['changed RUNNING', ...STARTED_EVENTS, 'removed'],
    );
  });

  it('RECREATE: one at a time, stopped first', async () => {
    const processGuid = await desire({ instances: 2, updateStrategy: 'RECREATE' });
    const [one, two] = [await cell.run(processGuid, 0), await cell.run(processGuid, 1)];
    const evacuate = ({ key }: typeof one) => say({ type: 'evacuate-running', ...key, ...started });
    expect(await evacuate(one)).toEqual({ ok: true, keepContainer: false });
    expect(await evacuate(two)).toEqual({ ok: true, keepContainer: true, waiting: true });
    await one.remove();
    await other.run(processGuid, 0);
    expect(await evacuate(two)).toEqual({ ok: true, keepContainer: false });
  });

  it('a claimed, a crashed and a stopped instance are placed again at once', async () => {
    const processGuid = await desire({ instances: 3 });
    const claimed = await cell.place(processGuid, 0);
    await claimed.claim();
    const crashed = await cell.run(processGuid, 1);
    const stopped = await cell.run(processGuid, 2);
    const reports: CellReport[] = [
      { type: 'evacuate-claimed', ...claimed.key },
      { type: 'evacuate-crashed', ...crashed.key, reason: 'it fell over' },
      { type: 'evacuate-stopped', ...stopped.key },
    ];
    const results = await cell.report(...reports);
    expect(results).toEqual(reports.map(() => ({ ok: true, keepContainer: false })));
    const rows = await rowsOf(processGuid);
    expect(rows.map(({ state, crashCount }) => [state, crashCount])).toEqual([
      ['UNCLAIMED', 0],
      ['UNCLAIMED', 1],
      ['UNCLAIMED', 0],
    ]);
  });

  it('RemoveEvacuating gives up what was kept, once, and only its own', async () => {
    const processGuid = await desire();
    const instance = await cell.run(processGuid);
    await say({ type: 'evacuate-running', ...instance.key, ...started });
    const removal: CellReport = { type: 'remove-evacuating', ...instance.key };
    expect((await other.report(removal))[0]).toMatchObject({
      ok: false,
      error: { code: 'cannot-be-removed' },
    });
    expect(await say(removal)).toEqual({ ok: true, keepContainer: false });
    expect(await say(removal)).toMatchObject({ ok: false, error: { code: 'not-found' } });
    expect(await statesOf(processGuid)).toEqual(['0 ORDINARY UNCLAIMED']);
  });
});

describe('3.3 Retire over HTTP', () => {
  it('recreates at once: when its cell has stopped it, or without one', async () => {
    const processGuid = await desire({ instances: 2 });
    const instance = await cell.run(processGuid, 0);
    await bbs.as().delete(`/v1/actual-lrps/${processGuid}/0`).expect(202);
    await instance.remove();
    await bbs.as().delete(`/v1/actual-lrps/${processGuid}/1`).expect(202);
    await expectTold(
      processGuid,
      ['desired_lrp_created', 'created UNCLAIMED', ...STARTED_EVENTS],
      ['changed RUNNING', 'created UNCLAIMED', 'removed'],
      ['removed', 'created UNCLAIMED'],
    );
    expect(await statesOf(processGuid)).toEqual(['0 ORDINARY UNCLAIMED', '1 ORDINARY UNCLAIMED']);
  });
});
