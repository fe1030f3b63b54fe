import { RiveraError } from '#rivera/models';
import { play, refusal, useCellWorld } from '../support/cell-world.js';

const boom = new RiveraError('internal', 'boom');
const size = (memoryMb: number) => ({ memoryMb, diskMb: 0, action: play('sleep') });

/** What the agent does about the store. */
describe('cell: rep and control plane', () => {
  const world = useCellWorld();

  it('8.73 a container that cannot be made is reported and leaves no record of an instance', async () => {
    world().host.inject({ operation: 'create', error: boom });
    const guid = world().place(size(1));
    await world().reported('crash', guid);
    await world().gone(guid);
    expect(world().reportsOf(guid)).toEqual(['claim', 'crash']);
  });

  it('8.74 a start that the store refuses stops the container; what it was told is all it needs', async () => {
    world().answer = ({ type }) => (type === 'start' ? refusal('cannot-be-started') : undefined);
    const guid = world().place({ ...size(1), ports: [8080] });
    expect(await world().reported('start', guid)).toMatchObject({
      routable: true,
      netInfo: { address: '127.0.0.1', ports: [{ containerPort: 8080 }] },
    });
    await world().reported('remove', guid);
    await world().gone(guid);
    expect(await world().garden.list()).toEqual([]);
  });

  it('8.75 a stop ends in a removal, any other end in a crash with its reason', async () => {
    const stopped = world().place(size(1));
    await world().reported('start', stopped);
    world().stop(stopped);
    await world().gone(stopped);
    expect(world().reportsOf(stopped)).toEqual(['claim', 'start', 'remove']);
    const crashed = world().place({ ...size(1), action: play('exit', '5') });
    await world().gone(crashed);
    expect(world().reportsOf(crashed).at(-1)).toBe('crash');
    expect(await world().reported('crash', crashed)).toMatchObject({ reason: 'LOG: Exited with status 5' });
  });

  it('8.75 an end is not forgotten while the store cannot be told: the container stays until it was', async () => {
    let tell: () => void = () => undefined;
    const told = new Promise<void>((resolve) => (tell = resolve));
    world().answer = async ({ type }) => {
      if (type === 'crash') await told;
      return undefined;
    };
    const guid = world().place({ ...size(1), action: play('exit', '5') });
    await world().reported('crash', guid);
    expect(await world().garden.list()).toHaveLength(1);
    tell();
    await world().gone(guid);
    expect(await world().garden.list()).toEqual([]);
  });

  it('8.76 a record without a container is removed, a task without one fails', async () => {
    const lrp = world().place(size(1), 'lost-instance');
    await world().reported('start', lrp);
    const task = world().placeTask({ action: play('sleep') }, 'lost-task');
    await world().inState(task, 'running');
    await Promise.all([world().garden.destroy(lrp), world().garden.destroy(task)]);
    world().work = { epoch: 2, actualLRPs: [world().actual(lrp)], tasks: [world().task(task)] };
    world().reports.length = 0;
    await world().startAgent().synchronize();
    await world().reported('remove', lrp);
    expect(await world().reported('complete-task', task)).toMatchObject({
      failed: true,
      failureReason: 'task container does not exist',
    });
  });

  it('8.76 when the containers cannot be listed nothing at all is done', async () => {
    const guid = world().place(size(1));
    await world().reported('start', guid);
    world().work = { epoch: 1, actualLRPs: [], tasks: [] };
    world().host.inject({ operation: 'list', error: boom, times: 1 });
    world().reports.length = 0;
    await expect(world().rep.synchronize()).rejects.toBe(boom);
    expect(world().reports).toEqual([]);
    expect(world().rep.actor(guid)?.state).toBe('running');
  });

  it('8.77 a hundred deliveries of one placement are one container', async () => {
    const guid = world().place(size(1));
    for (let times = 0; times < 100; times += 1) world().place(size(1), guid);
    await world().reported('start', guid);
    expect(world().reportsOf(guid)).toEqual(['claim', 'start']);
    expect(await world().garden.list()).toHaveLength(1);
  });

  it('8.78 a task that the store does not grant is not run', async () => {
    world().answer = ({ type }) => (type === 'start-task' ? refusal('not-found') : undefined);
    const guid = world().placeTask({ action: play('exit') });
    await world().gone(guid);
    expect(world().reportsOf(guid)).toEqual(['start-task']);
    expect(await world().garden.list()).toEqual([]);
  });

  it('8.79 a result file of 51200 bytes is taken, one more byte is not; none asked for, none given', async () => {
    const task = (bytes: number) =>
      world().runTask({ action: play('write', '/tmp/result', 'x'.repeat(bytes)), resultFile: '/tmp/result' });
    const fits = await task(51_200);
    expect(fits.failed).toBe(false);
    expect(fits.result).toHaveLength(51_200);
    expect(await task(51_201)).toMatchObject({
      failed: true,
      failureReason: 'failed to fetch result: result file is too large (over 51200 bytes)',
    });
    expect((await world().runTask({ action: play('exit') })).result).toBeUndefined();
    const missing = await world().runTask({ action: play('exit', '3'), resultFile: '/none' });
    expect(missing.failureReason).toBe('LOG: Exited with status 3');
  });

  it('8.80 a task whose container could not be made is rejected, that is to be placed again', async () => {
    world().host.inject({ operation: 'create', error: boom, times: 1 });
    const guid = world().placeTask({ action: play('exit') });
    expect(await world().reported('reject-task', guid)).toMatchObject({
      reason: 'failed to create container: boom',
    });
    await world().gone(guid);
    expect(world().reportsOf(guid)).toEqual(['start-task', 'reject-task']);
  });

  it('8.80 a task that an earlier agent may have started is not placed again when its container cannot be taken up', async () => {
    const guid = world().placeTask({ action: play('polite') });
    await world().inState(guid, 'running');
    world().work = { epoch: 2, actualLRPs: [], tasks: [world().task(guid)] };
    world().host.inject({ operation: 'lookup', handle: guid, error: boom, times: 1 });
    world().reports.length = 0;
    await world().startAgent().synchronize();
    // The agent before it is still there in this test, and tells of the end as well.
    await world().reported(
      'complete-task',
      guid,
      ({ failed, failureReason }) => failed && failureReason === 'failed to create container: boom',
    );
    await world().gone(guid);
    expect(world().reportsOf(guid)).not.toContain('reject-task');
  });

  it('8.81 8.82 a stop is taken at once, of an unknown guid too, and is graceful', async () => {
    const guid = world().placeTask({ action: play('polite') });
    await world().inState(guid, 'running');
    world().rep.stop({ instanceGuids: ['unknown'], taskGuids: [guid] });
    await world().gone(guid);
    expect(world().ends).toEqual([{ status: 'cancelled' }]);
    expect(world().reportsOf(guid)).toEqual(['start-task']);
  });

  it('8.84 an unknown stack is the reason, and nothing stays reserved', async () => {
    const before = world().rep.remaining();
    const guid = world().place({ ...size(100), rootfs: 'preloaded:nowhere' });
    expect(await world().reported('crash', guid)).toMatchObject({
      reason: 'failed to create container: There is no stack on this cell "nowhere".',
    });
    await world().gone(guid);
    expect(world().rep.remaining()).toEqual(before);
  });

  it('an agent that ends makes first what it has begun, so that the next one finds it', async () => {
    const lift = world().host.inject({ operation: 'create' });
    const task = world().placeTask({ action: play('sleep') });
    await world().inState(task, 'initializing');
    const ended = world().rep.finishStarting(60_000);
    const late = world().placeTask({ action: play('sleep') });
    lift();
    await ended;
    expect((await world().garden.list()).map(({ handle }) => handle)).toEqual([task]);
    // It was placed here and begun by nobody: the next agent is told by the store.
    expect(world().reportsOf(late)).toEqual([]);
    world().reports.length = 0;
    world().work = { epoch: 2, actualLRPs: [], tasks: [world().task(task)] };
    await world().startAgent().synchronize();
    await world().inState(task, 'running');
    expect(world().reportsOf(task)).toEqual(['start-task']);
  });

  it('an agent that ends hands back what it cannot make in time, whatever it is', async () => {
    const running = world().place({ ...size(1) });
    await world().reported('start', running);
    const lift = world().host.inject({ operation: 'create' });
    const task = world().placeTask({ action: play('sleep') });
    const lrp = world().place(size(1));
    await world().inState(task, 'initializing');
    await world().inState(lrp, 'initializing');
    await world().rep.finishStarting(50);
    expect(world().reportsOf(task)).toEqual(['start-task', 'reject-task']);
    expect(world().reportsOf(lrp)).toEqual(['claim', 'remove']);
    expect(world().reportsOf(running)).toEqual(['claim', 'start']);
    lift();
    await world().gone(task);
    await world().gone(lrp);
    expect((await world().garden.list()).map(({ handle }) => handle)).toEqual([running]);
  });

  it('8.88 a task of several steps is failed by the next agent, an instance goes on', async () => {
    const lrp = world().place({ ...size(1), ports: [8080] });
    const task = world().placeTask({ action: { serial: { actions: [play('sleep')] } } });
    const { netInfo } = await world().reported('start', lrp);
    await world().inState(task, 'running');
    world().reports.length = 0;
    world().work = { epoch: 2, actualLRPs: [world().actual(lrp)], tasks: [world().task(task)] };
    await world().startAgent().synchronize();
    expect(await world().reported('start', lrp)).toMatchObject({ netInfo: { ports: netInfo.ports } });
    await world().reported('complete-task', task, ({ failed }) => failed);
    // Its host port is not given to anybody else meanwhile.
    const next = world().place({ ...size(1), ports: [8080] });
    const { netInfo: other } = await world().reported('start', next);
    expect(other.ports[0]!.hostPort).not.toBe(netInfo.ports[0]!.hostPort);
  });
});
