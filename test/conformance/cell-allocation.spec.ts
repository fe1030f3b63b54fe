import { RiveraError } from '#rivera/models';
import { play, refusal, useCellWorld } from '../support/cell-world.js';

/** What the executor keeps count of. */
describe('cell: allocation and registry', () => {
  const world = useCellWorld({ capacity: { memoryMb: 1_024, diskMb: 4_096, containers: 2 } });
  const never = () => new Promise<never>(() => undefined);
  const size = (memoryMb: number, diskMb = 10) => ({ memoryMb, diskMb, action: play('sleep') });

  it('8.1 a reservation takes its resources at once', () => {
    world().answer = never;
    const guid = world().place(size(512, 1_024));
    expect(world().rep.remaining()).toEqual({ memoryMb: 512, diskMb: 3_072, containers: 1 });
    expect(world().rep.actor(guid)?.state).toBe('reserved');
  });

  it('8.2 the same guid again changes nothing: a delivery may be repeated', () => {
    world().answer = never;
    const guid = world().place(size(512));
    const before = world().rep.remaining();
    world().place(size(512), guid);
    expect(world().rep.remaining()).toEqual(before);
    expect(world().reportsOf(guid)).toEqual([]);
  });

  it('8.3 what does not fit is refused, and something smaller behind it is taken', async () => {
    world().place(size(924));
    const large = world().place(size(200));
    const small = world().place(size(50));
    expect(await world().reported('refuse', large)).toMatchObject({ reason: 'insufficient resources' });
    await world().reported('start', small);
  });

  it('8.4 a guid that is empty never gets here: the store names instances', () => {
    expect(world().rep.actor('')).toBeUndefined();
  });

  it('8.5 no container left is as good as no memory', async () => {
    world().place(size(1));
    world().place(size(1));
    const third = world().place(size(1));
    expect(await world().reported('refuse', third)).toMatchObject({ reason: 'insufficient resources' });
  });

  it('8.7 the end of a container gives its resources back once it is gone, not earlier', async () => {
    const lift = world().host.inject({ operation: 'destroy' });
    const guid = world().place({ ...size(512), action: play('exit', '1') });
    await world().reported('crash', guid);
    expect(world().rep.remaining().memoryMb).toBe(512);
    lift();
    await world().gone(guid);
    expect(world().rep.remaining().memoryMb).toBe(1_024);
  });

  it('work for the place of what has ended waits until that is gone', async () => {
    const lift = world().host.inject({ operation: 'destroy' });
    const ended = world().place({ ...size(1_000), action: play('exit', '1') });
    await world().reported('crash', ended);
    const next = world().place(size(1_000));
    const tooMuch = world().place(size(100));
    expect(await world().reported('refuse', tooMuch)).toMatchObject({ reason: 'insufficient resources' });
    expect(world().reportsOf(next)).toEqual([]);
    lift();
    await world().reported('start', next);
    expect(world().reportsOf(next)).toEqual(['claim', 'start']);
  });

  it('what has waited in vain is refused', async () => {
    const lift = world().host.inject({ operation: 'destroy' });
    const ended = world().place({ ...size(1_000), action: play('exit', '1') });
    await world().reported('crash', ended);
    const [inVain, stopped] = [world().place(size(500)), world().place(size(500))];
    world().rep.stop({ instanceGuids: [stopped], taskGuids: [] });
    expect(await world().reported('refuse', inVain)).toMatchObject({ reason: 'insufficient resources' });
    expect(world().rep.actor(inVain)).toBeUndefined();
    expect(world().reportsOf(stopped)).toEqual([]);
    lift();
  });

  it('8.8 a removal that fails keeps the container and its resources, and is tried again', async () => {
    const error = new RiveraError('internal', 'boom');
    world().host.inject({ operation: 'destroy', error, times: 1 });
    const guid = world().place({ ...size(512), action: play('exit', '1') });
    await world().logged(guid, 'failed to destroy container');
    expect(world().rep.remaining().memoryMb).toBe(512);
    expect(world().rep.actor(guid)?.state).toBe('completed');
    await world().gone(guid);
    expect(world().rep.remaining().memoryMb).toBe(1_024);
    expect(await world().garden.list()).toEqual([]);
  });

  it('8.9 a container that is gone already, or is being removed by somebody else, is removed', async () => {
    const guid = world().place(size(1));
    await world().reported('start', guid);
    await Promise.all([world().garden.destroy(guid), world().garden.destroy(guid)]);
    await world().gone(guid);
    expect(world().log(guid)).toContain(`Cell cell-1 successfully destroyed container for instance ${guid}`);
  });

  it('8.10 a stop of a guid that is not here does nothing', () => {
    world().stop('nobody');
    expect(world().reports).toEqual([]);
  });

  describe('with a short time to live of reservations', () => {
    const brief = useCellWorld({ env: { RESERVATION_TTL_MS: '50' } });

    it('8.6 a reservation that nobody confirms ends; what has begun does not', async () => {
      brief().answer = (report) =>
        'instanceGuid' in report && report.instanceGuid === 'waiting' ? never() : undefined;
      const waiting = brief().place(size(100), 'waiting');
      brief().host.inject({ operation: 'create' });
      const begun = brief().place(size(100));
      await brief().gone(waiting);
      expect(brief().rep.actor(begun)?.state).toBe('initializing');
      expect(brief().reportsOf(waiting)).toEqual(['claim']);
    });
  });

  it('8.72 a claim that is refused leaves nothing, and runs nothing', async () => {
    world().answer = ({ type }) => (type === 'claim' ? refusal('cannot-be-claimed') : undefined);
    const guid = world().place(size(1));
    await world().gone(guid);
    expect(world().reportsOf(guid)).toEqual(['claim']);
    expect(await world().garden.list()).toEqual([]);
  });
});
