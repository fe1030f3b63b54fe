import { RiveraError } from '#rivera/models';
import type { Action } from '#rivera/models';
import { play, played, useCellWorld } from '../support/cell-world.js';

const say = (text: string, status = 0): Action => play('say', text, String(status));
const reasonOf = (task: { failed: boolean; failureReason?: string }): string | undefined =>
  task.failureReason;

describe('cell: run step', () => {
  const world = useCellWorld();

  it('8.25 an exit status is the reason, with the log source, and a line of the log', async () => {
    const guid = world().placeTask({
      action: { run: { ...played('exit', '3'), logSource: 'APP/PROC/WEB' } },
    });
    expect(await world().reported('complete-task', guid)).toMatchObject({
      failed: true,
      failureReason: 'APP/PROC/WEB: Exited with status 3',
    });
    expect(world().log(guid, 'APP/PROC/WEB')).toEqual(['Exit status 3']);
  });

  it('8.26 suppressed output leaves no line, not of the exit either; the reason stays', async () => {
    const run = { ...played('say', 'secret', '3'), suppressLogOutput: true };
    const guid = world().placeTask({ action: { run } });
    expect(reasonOf(await world().reported('complete-task', guid))).toBe('LOG: Exited with status 3');
    expect(world().log(guid, 'LOG')).toEqual([]);
  });

  it('8.27 a process that the memory limit has ended says so', async () => {
    const guid = world().placeTask({ action: play('sleep') });
    await world().inState(guid, 'running');
    world().host.container('cell-1', guid)!.kill({ outOfMemory: true });
    expect(reasonOf(await world().reported('complete-task', guid))).toBe(
      'LOG: Exited with status 137 (out of memory)',
    );
    expect(world().log(guid, 'LOG')).toEqual(['Exit status 137 (out of memory)']);
  });

  it('8.28 a process that ends by itself when it is asked to is not killed', async () => {
    const guid = world().place({ action: play('polite', '0') });
    await world().reported('start', guid);
    world().stop(guid);
    await world().reported('remove', guid);
    expect(world().ends).toEqual([{ status: 'cancelled' }]);
    expect(world().log(guid, 'LOG')).toEqual(['Exit status 0']);
    expect(world().log(guid, 'CELL')).toContain(`Cell cell-1 stopping instance ${guid}`);
  });

  it('8.29 a process that does not end is killed after the grace period, and counted', async () => {
    const guid = world().place({ action: play('stubborn') });
    await world().reported('start', guid);
    world().stop(guid);
    await world().reported('remove', guid);
    expect(world().ends).toEqual([{ status: 'cancelled', wasKilled: true }]);
    expect(world().log(guid, 'LOG')).toEqual(['Exit status 137 (exceeded 300ms graceful shutdown interval)']);
  });

  it('8.31 an interruption before the start starts nothing; one while it hangs does not wait, and the process goes', async () => {
    const lift = world().host.inject({ operation: 'start' });
    const guid = world().place({ action: play('sleep') });
    await world().inState(guid, 'created');
    world().stop(guid);
    await world().reported('remove', guid);
    lift();
    await world().gone(guid);
    expect(await world().garden.list()).toEqual([]);
    expect(world().reportsOf(guid)).toEqual(['claim', 'remove']);
  });

  it('8.32 a process that cannot be started is said on its stream, and is the reason', async () => {
    const run = { path: '/nonesuch', user: 'vcap' };
    const guid = world().placeTask({ action: { run } });
    expect(reasonOf(await world().reported('complete-task', guid))).toBe('There is no program /nonesuch.');
    expect(world().log(guid, 'LOG')).toEqual(['failed-creating-process: There is no program /nonesuch.']);
  });
});

describe('cell: process that survives SIGKILL', () => {
  it('8.30 is given up a second later', async () => {
    const { runStep } = await import('../../apps/cell/src/executor/run-step.js');
    const process = {
      id: 'immortal',
      wait: () => new Promise<never>(() => undefined),
      signal: () => Promise.reject(new RiveraError('internal', 'boom')),
      write: () => Promise.resolve(),
      closeInput: () => undefined,
      resize: () => Promise.resolve(),
    };
    const stop = new AbortController();
    const output = { stdout: () => undefined, stderr: () => undefined, flush: () => undefined };
    const step = runStep({ logSource: 'APP', graceMs: 10, output, launch: () => Promise.resolve(process) });
    const result = await step.perform(stop.signal, () => stop.abort());
    expect(result).toMatchObject({ status: 'failed', message: 'process did not exit' });
  });
});

describe('cell: combinators', () => {
  const world = useCellWorld();
  const run = (action: Action) => world().runTask({ action });

  it('8.35 serial ends at the first failure, and an interruption reaches the one that runs', async () => {
    const failing = await run({ serial: { actions: [say('a'), play('exit', '2'), say('never')] } });
    expect(reasonOf(failing)).toBe('LOG: Exited with status 2');
    expect(world().log(failing.taskGuid, 'LOG')).toEqual(['a', 'Exit status 0', 'Exit status 2']);

    const guid = world().place({ action: { serial: { actions: [play('polite'), say('never')] } } });
    await world().logged(guid, 'successfully created');
    await world().inState(guid, 'created');
    await vi.waitFor(() => expect(world().host.container('cell-1', guid)).toBeDefined());
    world().stop(guid);
    await world().reported('remove', guid);
    expect(world().log(guid, 'LOG')).not.toContain('never');
  });

  it('8.36 parallel waits for all, also after a failure, and joins the messages', async () => {
    const task = await run({
      parallel: { actions: [play('exit', '1'), play('later', '50', '2'), say('c')] },
    });
    expect(reasonOf(task)).toBe('LOG: Exited with status 1; LOG: Exited with status 2');
  });

  it('8.37 codependent: an end with 0 interrupts the others and is a failure', async () => {
    const task = await run({ codependent: { actions: [play('exit', '0'), play('polite', '0')] } });
    expect(reasonOf(task)).toBe('Codependent step exited');
  });

  it('8.38 codependent: what was interrupted has nothing to say beside a failure', async () => {
    const task = await run({ codependent: { actions: [play('exit', '1'), play('sleep')] } });
    expect(reasonOf(task)).toBe('LOG: Exited with status 1');
  });

  it('8.39 try never fails, and ends when it is interrupted', async () => {
    expect(await run({ try: { action: play('exit', '1') } })).toMatchObject({ failed: false });
    const guid = world().place({ action: { try: { action: play('polite') } } });
    await world().reported('start', guid);
    world().stop(guid);
    await world().reported('remove', guid);
  });

  it('8.40 timeout interrupts, waits for the end, and quotes a failure meant for the client', async () => {
    const limited = (action: Action, timeoutMs = 30): Action => ({ timeout: { action, timeoutMs } });
    expect(reasonOf(await run(limited(play('polite', '0'))))).toBe('exceeded 30ms timeout');
    const inner: Action = { codependent: { actions: [play('exit', '7'), play('stubborn')] } };
    expect(reasonOf(await run(limited(inner)))).toBe('exceeded 30ms timeout; LOG: Exited with status 7');
    expect(await run(limited(play('exit', '0'), 60_000))).toMatchObject({ failed: false });
  });

  it('8.41 emit progress: lines before and after, a failure with its reason on stderr', async () => {
    const messages = { startMessage: 'begin', successMessage: 'done', failureMessagePrefix: 'broken' };
    const good = await run({ emitProgress: { ...messages, action: play('exit', '0') } });
    expect(world().log(good.taskGuid, 'LOG')).toEqual(['begin', 'Exit status 0', 'done']);
    const bad = await run({ emitProgress: { ...messages, action: play('exit', '1') } });
    expect(world().log(bad.taskGuid, 'LOG')).toEqual([
      'begin',
      'Exit status 1',
      'broken: LOG: Exited with status 1',
    ]);
    expect(world().lines.at(-3)).toMatchObject({ stream: 'err' });
  });

  it('8.42 a log source holds for the actions inside that name none', async () => {
    const task = await run({
      serial: {
        logSource: 'OUTER',
        actions: [say('a'), { run: { ...played('say', 'b'), logSource: 'INNER' } }],
      },
    });
    expect(world().log(task.taskGuid, 'OUTER')).toEqual(['a', 'Exit status 0']);
    expect(world().log(task.taskGuid, 'INNER')).toEqual(['b', 'Exit status 0']);
  });
});

describe('cell: environment', () => {
  const world = useCellWorld();
  const environmentOf = async (guid: string): Promise<string[]> => {
    await world().logged(guid, 'PATH=');
    return world().log(guid, 'LOG');
  };

  it('8.21 an action’s variables win over the container’s; PATH and USER are there', async () => {
    const guid = world().placeTask({
      environmentVariables: [
        { name: 'A', value: '1' },
        { name: 'B', value: '1' },
      ],
      action: { run: { ...played('env'), env: [{ name: 'B', value: '2' }] } },
    });
    const lines = await environmentOf(guid);
    expect(lines).toEqual(expect.arrayContaining(['A=1', 'B=2', 'USER=vcap']));
    expect(lines).not.toContain('B=1');
  });

  it('8.22 an instance is told who and where it is', async () => {
    const guid = world().place({ ports: [8080, 9000], action: play('env') });
    const lines = await environmentOf(guid);
    const { netInfo } = await world().reported('start', guid);
    const [first, second] = netInfo.ports;
    expect(lines).toEqual(
      expect.arrayContaining([
        'INSTANCE_INDEX=0',
        'CF_INSTANCE_INDEX=0',
        `INSTANCE_GUID=${guid}`,
        `CF_INSTANCE_GUID=${guid}`,
        'CF_INSTANCE_IP=127.0.0.1',
        `CF_INSTANCE_PORT=${first!.hostPort}`,
        `CF_INSTANCE_ADDR=127.0.0.1:${first!.hostPort}`,
        `CF_INSTANCE_PORTS=[{"external":${first!.hostPort},"internal":8080},{"external":${second!.hostPort},"internal":9000}]`,
        'PORT=8080',
      ]),
    );
  });

  it('8.22 one of several processes is told the instance’s own address, too', async () => {
    const guid = world().place({ ports: [8080], setup: play('exit'), action: play('env') });
    const lines = await environmentOf(guid);
    const { netInfo } = await world().reported('start', guid);
    expect(lines).toContain(`CF_INSTANCE_INTERNAL_IP=${netInfo.instanceAddress}`);
  });

  it('8.23 a task has no index and no ports', async () => {
    const lines = await environmentOf(world().placeTask({ action: play('env') }));
    expect(lines).toEqual(
      expect.arrayContaining(['CF_INSTANCE_PORT=', 'CF_INSTANCE_ADDR=', 'CF_INSTANCE_PORTS=[]']),
    );
    expect(lines.join('\n')).not.toContain('INSTANCE_INDEX');
  });
});
