import { RiveraError } from '#rivera/models';
import { startArtifactServer, type ArtifactServer, tgzOf } from '../support/artifact-server.js';
import { play, useCellWorld } from '../support/cell-world.js';

const boom = new RiveraError('internal', 'boom');

describe('cell: creation', () => {
  const world = useCellWorld({ env: { VOLUME_DRIVERS: 'local=/nowhere' } });
  let server: ArtifactServer;

  beforeAll(async () => {
    server = await startArtifactServer();
  });
  afterAll(() => server.close());
  beforeEach(() => server.reset());

  const specOf = async (guid: string) => {
    await world().reported('start', guid);
    return world().host.container('cell-1', guid)!.spec;
  };

  it('8.11 a dependency that cannot be had fails the creation, retryable, and cancels the others', async () => {
    server.serve('/slow.tgz', { body: await tgzOf({ a: 'a' }), etag: '"1"', stallMs: 60_000 });
    const guid = world().placeTask({
      action: play('exit'),
      cachedDependencies: [
        { name: 'broken', from: server.url('/missing'), to: '/a', cacheKey: 'a' },
        { name: 'slow', from: server.url('/slow.tgz'), to: '/b', cacheKey: 'b' },
      ],
    });
    // A task is rejected, that is to be tried elsewhere.
    expect(await world().reported('reject-task', guid)).toMatchObject({
      reason: 'failed to download cached artifacts',
    });
    await vi.waitFor(() => expect(server.aborted).toBe(1));
    expect(world().log(guid).join('\n')).toContain(
      'Downloading broken failed: Download failed: Status code 404',
    );
  });

  it('8.12 a garden that fails is quoted', async () => {
    world().host.inject({ operation: 'create', error: boom });
    const guid = world().place({ action: play('sleep') });
    expect(await world().reported('crash', guid)).toMatchObject({
      reason: 'failed to create container: boom',
    });
    expect(world().log(guid, 'CELL').slice(0, 2)).toEqual([
      `Cell cell-1 creating container for instance ${guid}`,
      `Cell cell-1 failed to create container for instance ${guid}: boom`,
    ]);
    const task = world().placeTask({ action: play('sleep') });
    expect(await world().reported('reject-task', task)).toMatchObject({
      reason: 'failed to create container: boom',
    });
  });

  it('8.13 a volume that cannot be mounted says so in words that are safe to show', async () => {
    const mount = (driver: string) => ({
      driver,
      containerDir: '/data',
      mode: 'rw' as const,
      shared: { volumeId: 'v' },
    });
    const unknown = world().place({ volumeMounts: [mount('nfs')] });
    expect(await world().reported('crash', unknown)).toMatchObject({
      reason: 'failed to mount volume, errors: this cell has no volume driver nfs',
    });
    const missing = world().place({ volumeMounts: [mount('local')] });
    const { reason } = await world().reported('crash', missing);
    expect(reason).toBe('failed to mount volume, errors: volume v does not exist');
    expect(reason).not.toContain('/nowhere');
  });

  it('8.14 no disk asked for is no limit; a limit is what was asked for', async () => {
    // The backend counts what a container writes, not its root filesystem, so that nothing is added for that.
    expect((await specOf(world().place({ diskMb: 0, action: play('sleep') }))).limits.diskMb).toBe(0);
    expect((await specOf(world().place({ diskMb: 10, action: play('sleep') }))).limits.diskMb).toBe(10);
  });

  it('8.15 ports are mapped once each, in the order they were asked for', async () => {
    const guid = world().place({ ports: [8080, 8080, 9000, 80], action: play('sleep') });
    const { netInfo } = await world().reported('start', guid);
    expect(netInfo.ports.map(({ containerPort }) => containerPort)).toEqual([8080, 9000, 80]);
    expect(new Set(netInfo.ports.map(({ hostPort }) => hostPort)).size).toBe(3);
  });

  it('8.20 a stop while a creation hangs is heard at once, and nothing is left when it ends', async () => {
    const lift = world().host.inject({ operation: 'create' });
    const guid = world().place({ action: play('sleep') });
    await world().inState(guid, 'initializing');
    world().stop(guid);
    world().stop(guid);
    await world().reported('remove', guid);
    expect(world().rep.actor(guid)?.state).toBe('completed');
    lift();
    await world().gone(guid);
    expect(await world().garden.list()).toEqual([]);
    expect(world().reportsOf(guid)).toEqual(['claim', 'remove']);
  });

  it('what is mounted: dependencies and files of the definition, read-only', async () => {
    server.serve('/dep.tgz', { body: await tgzOf({ 'bin/tool': 'tool' }), etag: '"1"' });
    const guid = world().place({
      action: play('sleep'),
      cachedDependencies: [{ from: server.url('/dep.tgz'), to: '/tmp/dep', cacheKey: 'dep' }],
      volumeMountedFiles: [{ path: 'db/password', content: 'secret' }],
    });
    const { bindMounts } = await specOf(guid);
    expect(bindMounts).toMatchObject([
      { target: '/tmp/dep', readOnly: true },
      { target: '/etc/cf-service-bindings', readOnly: true },
    ]);
    expect(JSON.stringify(world().host.container('cell-1', guid)!.spec.properties)).not.toContain('secret');
  });

  it('work that needs what the backend cannot do is refused in plain words', async () => {
    const privileged = world().place({ privileged: true, action: play('sleep') });
    expect(await world().reported('crash', privileged)).toMatchObject({
      reason: 'failed to create container: Privileged container creation is disabled on this cell.',
    });
  });

  describe('on a backend with less', () => {
    const poor = useCellWorld({ capabilities: { egress: false, bindMounts: false } });

    it('egress rules and mounts are refused', async () => {
      const rules = poor().place({ egressRules: [{ protocol: 'all', destinations: ['10.0.0.1'] }] });
      expect(await poor().reported('crash', rules)).toMatchObject({
        reason: 'failed to create container: This cell cannot hold containers to egress rules.',
      });
      const files = poor().place({ volumeMountedFiles: [{ path: 'a', content: 'a' }] });
      expect(await poor().reported('crash', files)).toMatchObject({
        reason: 'failed to create container: This cell cannot mount directories into containers.',
      });
    });
  });
});
