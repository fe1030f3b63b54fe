import type { RiveraClient } from '#rivera/client';
import type { CellReport, CellReportResult, PresenceGrant } from '#rivera/models';
import { RiveraLogger } from '#rivera/platform';
import { Presence } from '../../apps/cell/src/rep/presence.js';
import { play, useCellWorld } from '../support/cell-world.js';
import { waitFor } from '../support/wait-for.js';

const size = { memoryMb: 1, diskMb: 0 };

/** What a cell does that is to be emptied; which instance may leave when is the store's decision (BBS 3.5). */
describe('cell: evacuation and presence', () => {
  const world = useCellWorld();
  const sleeping = { ...size, action: play('sleep') };
  const runningLRP = async (): Promise<string> => {
    const guid = world().place(sleeping);
    await world().reported('start', guid);
    return guid;
  };

  it('8.83 what comes while the cell drains goes back, and takes nothing', async () => {
    const before = world().rep.remaining();
    world().rep.close();
    const [lrp, task] = [world().place(sleeping), world().placeTask(sleeping)];
    expect(await world().reported('refuse', lrp)).toMatchObject({ reason: 'cell is draining' });
    expect(await world().reported('refuse-task', task)).toMatchObject({ reason: 'cell is draining' });
    expect(world().rep.remaining()).toEqual(before);
    world().rep.open();
    await runningLRP();
  });

  it('8.86 an instance serves until its replacement does, a task runs to its end, then the cell is empty', async () => {
    let mayLeave = false;
    const asked: CellReport[] = [];
    world().answer = (report): CellReportResult | undefined => {
      if (report.type !== 'evacuate-running') return undefined;
      asked.push(report);
      return mayLeave ? { ok: true, keepContainer: false } : { ok: true, waiting: true };
    };
    const lrp = await runningLRP();
    const task = world().placeTask({ ...size, action: play('later', '50') });
    await world().inState(task, 'running');
    world().rep.close();
    world().rep.evacuate();
    await waitFor(() => asked.length, { what: 'the store was asked', until: (count) => count === 1 });
    expect(await world().reported('complete-task', task)).toMatchObject({ failed: false });
    await world().gone(task);
    expect(world().rep.actor(lrp)?.state).toBe('running');
    mayLeave = true;
    await waitFor(
      () => {
        world().rep.evacuate();
        return world().rep.isEmpty;
      },
      { what: 'the cell is empty', until: (isEmpty) => isEmpty, intervalMs: 5 },
    );
    expect(await world().garden.list()).toEqual([]);
  });

  it('8.86 8.87 at the deadline everything is stopped, however often that is said', async () => {
    const lrp = await runningLRP();
    const task = world().placeTask(sleeping);
    await world().inState(task, 'running');
    world().rep.close();
    world().rep.close();
    for (let time = 0; time < 2; time += 1) world().rep.abandon();
    await Promise.all([world().gone(lrp), world().gone(task)]);
    const ends = world().reports.filter(({ type }) => type === 'complete-task');
    expect(ends).toMatchObject([{ failed: true, failureReason: 'cell was drained before completion' }]);
    expect(await world().garden.list()).toEqual([]);
    expect(await world().reported('refuse', world().place(sleeping))).toBeDefined();
  });

  it('8.89 a cell that is not heard goes on, and is known again under the epoch it had', async () => {
    const lrp = await runningLRP();
    let renewals = 0;
    let isReachable = true;
    const epochs: (number | undefined)[] = [];
    const client = {
      renewCellPresence: (_cellId: string, { epoch }: { epoch?: number }): Promise<PresenceGrant> => {
        renewals += 1;
        epochs.push(epoch);
        return isReachable
          ? Promise.resolve({ epoch: 7, ttlMs: 3 } as PresenceGrant)
          : Promise.reject(new Error('nobody is there'));
      },
    } as unknown as RiveraClient;
    const replaced = vi.fn();
    const presence = new Presence({
      client,
      cellId: 'cell-1',
      registration: () => ({}) as never,
      onGrant: () => undefined,
      logger: RiveraLogger.create({ app: 'cell', level: 'fatal' }),
      onReplaced: replaced,
    });
    const end = new AbortController();
    const keeping = presence.keep(end.signal);
    expect(await presence.epoch).toBe(7);
    const until = (count: number) =>
      waitFor(() => renewals, { what: `${count} renewals`, until: (seen) => seen >= count, intervalMs: 2 });
    isReachable = false;
    await until(renewals + 2);
    expect(world().rep.actor(lrp)?.state).toBe('running');
    isReachable = true;
    await until(renewals + 3);
    end.abort();
    await keeping;
    expect(new Set(epochs.slice(1))).toEqual(new Set([7]));
    expect(replaced).not.toHaveBeenCalled();
  });
});
