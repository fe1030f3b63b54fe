import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DownloadAction } from '#rivera/models';
import type { ArtifactCache } from '../../apps/cell/src/downloader/artifact-cache.js';
import {
  type ArtifactServer,
  digestOf,
  startArtifactServer,
  tarOf,
  tgzOf,
  zipOf,
} from '../support/artifact-server.js';
import { play, useCellWorld } from '../support/cell-world.js';

describe('cell: transfers', () => {
  const world = useCellWorld();
  let server: ArtifactServer;

  beforeAll(async () => {
    server = await startArtifactServer();
  });
  afterAll(() => server.close());
  beforeEach(() => server.reset());

  const download = (more: Partial<DownloadAction>) => ({
    download: { artifact: 'app', from: server.url('/app'), to: '/home/vcap/app', user: 'vcap', ...more },
  });
  /** Downloads, then prints a file. */
  const fetchAndPrint = (file: string, more: Partial<DownloadAction> = {}) =>
    world().runTask({ action: { serial: { actions: [download(more), play('cat', file)] } } });
  const cacheFiles = async () =>
    (await readdir(join(world().directory, 'cache'))).filter((name) => name !== 'index.json');

  it.each(['tgz', 'tar', 'zip'] as const)('8.43 a %s arrives unpacked', async (kind) => {
    const files = { 'bin/start': 'run me', README: 'read me' };
    const body = { tgz: () => tgzOf(files), tar: () => tarOf(files), zip: () => zipOf(files) }[kind]();
    server.serve('/app', { body: await body });
    const task = await fetchAndPrint('/home/vcap/app/bin/start');
    expect(task).toMatchObject({ failed: false });
    expect(world().log(task.taskGuid, 'LOG')).toEqual([
      'Downloading app...',
      expect.stringMatching(/^Downloaded app \([\d.]+[BKM]\)$/),
      'run me',
      'Exit status 0',
    ]);
  });

  it('8.43 what is no archive arrives as a file of its URL’s name; a relative place is below the home', async () => {
    server.serve('/files/tool.bin?signature=1', { body: Buffer.from('tool') });
    const task = await fetchAndPrint('/home/vcap/bin/tool.bin', {
      from: server.url('/files/tool.bin?signature=1'),
      to: 'bin',
    });
    expect(world().log(task.taskGuid, 'LOG')).toContain('tool');
  });

  it.each(['md5', 'sha1', 'sha256'])(
    '8.44 a wrong %s fails at the first attempt; a right one does not',
    async (algorithm) => {
      const body = await tgzOf({ a: 'a' });
      server.serve('/app', { body });
      const right = { checksumAlgorithm: algorithm, checksumValue: digestOf(algorithm, body) };
      expect(await world().runTask({ action: download(right) })).toMatchObject({ failed: false });
      server.answers.length = 0;
      const wrong = { ...right, checksumValue: digestOf(algorithm, Buffer.from('else')) };
      const task = await world().runTask({ action: download(wrong) });
      expect(task).toMatchObject({ failed: true, failureReason: 'Downloading app failed' });
      expect(server.answers).toHaveLength(1);
      expect(world().log(task.taskGuid, 'LOG').at(-1)).toContain(`The ${algorithm} checksum is`);
      expect(await cacheFiles()).toEqual([]);
    },
  );

  it('8.45 a server that fails twice is asked again; four failures are the end', async () => {
    server.serve('/app', { body: await tgzOf({ a: 'a' }), statuses: [500, 500] });
    expect(await world().runTask({ action: download({}) })).toMatchObject({ failed: false });
    expect(server.answers).toHaveLength(3);
    server.reset();
    server.serve('/app', { body: await tgzOf({ a: 'a' }), statuses: [500, 500, 500, 500] });
    const task = await world().runTask({ action: download({}) });
    expect(task).toMatchObject({ failed: true, failureReason: 'Downloading app failed' });
    expect(server.answers).toHaveLength(4);
  });

  it('8.46 what is kept is asked after and not sent again', async () => {
    const body = await tgzOf({ a: 'content' });
    server.serve('/app', { body, etag: '"v1"' });
    await fetchAndPrint('/home/vcap/app/a', { cacheKey: 'app' });
    const task = await fetchAndPrint('/home/vcap/app/a', { cacheKey: 'app' });
    expect(server.answers).toEqual([`GET /app 200 ${body.length}`, 'GET /app 304 0']);
    expect(world().log(task.taskGuid, 'LOG')).toEqual(expect.arrayContaining(['Downloaded app', 'content']));

    server.serve('/app', { body: await tgzOf({ a: 'newer' }), etag: '"v2"' });
    const later = await fetchAndPrint('/home/vcap/app/a', { cacheKey: 'app' });
    expect(world().log(later.taskGuid, 'LOG')).toContain('newer');
    expect(await cacheFiles()).toHaveLength(1);
  });

  it('8.47 what cannot be recognised again is no dependency, and is downloaded without being kept', async () => {
    server.serve('/app', { body: await tgzOf({ a: 'content' }) });
    const dependency = { from: server.url('/app'), to: '/dep', cacheKey: 'dep' };
    const guid = world().placeTask({ action: play('exit'), cachedDependencies: [dependency] });
    expect(await world().reported('reject-task', guid)).toMatchObject({
      reason: 'failed to download cached artifacts',
    });
    expect(world().log(guid).join('\n')).toContain('ETag and Last-Modified were missing from response');
    expect(await fetchAndPrint('/home/vcap/app/a', { cacheKey: 'app' })).toMatchObject({ failed: false });
    expect(await cacheFiles()).toEqual([]);
  });

  it('8.48 a download that is cancelled ends at once and leaves no file', async () => {
    server.serve('/app', { body: await tgzOf({ a: 'x'.repeat(10_000) }), stallMs: 60_000 });
    const guid = world().place({ action: download({}) });
    await vi.waitFor(() => expect(server.atOnce).toBe(1));
    world().stop(guid);
    await world().reported('remove', guid);
    await vi.waitFor(() => expect(server.aborted).toBe(1));
    await world().gone(guid);
    expect(await cacheFiles()).toEqual([]);
  });

  it('8.50 an upload sends the file with its digests, three times at most', async () => {
    const content = 'droplet'.repeat(200_000);
    const upload = {
      upload: { artifact: 'droplet', from: '/tmp/droplet', to: server.url('/put'), user: 'vcap' },
    };
    const write = play('write', '/tmp/droplet', content);
    const action = { serial: { actions: [write, upload] } };
    server.uploadStatuses = [500, 503];
    const task = await world().runTask({ action });
    expect(task).toMatchObject({ failed: false });
    expect(server.uploads).toHaveLength(3);
    const { body, headers } = server.uploads.at(-1)!;
    expect(body.toString()).toBe(content);
    expect(headers).toMatchObject({
      'content-length': String(content.length),
      'content-md5': digestOf('md5', body, 'base64'),
      'content-digest': `sha-256=:${digestOf('sha256', body, 'base64')}:`,
    });
    expect(world().log(task.taskGuid, 'LOG').slice(1)).toEqual([
      'Uploading droplet...',
      'Uploaded droplet (1.3M)',
    ]);
    server.uploadStatuses = [500, 500, 404];
    expect(await world().runTask({ action })).toMatchObject({
      failed: true,
      failureReason: 'Upload failed: Status code 404',
    });
  });

  it('8.51 an upload of what is not there', async () => {
    const upload = { upload: { artifact: 'droplet', from: '/none', to: server.url('/put'), user: 'vcap' } };
    expect(await world().runTask({ action: upload })).toMatchObject({
      failed: true,
      failureReason: 'Failed to establish stream from container for droplet',
    });
  });

  it('8.52 a download more than may be at once waits, and can be cancelled while it does', async () => {
    server.serve('/app', { body: await tgzOf({ a: 'a' }), stallMs: 60_000 });
    const running = Array.from({ length: 5 }, () => world().place({ action: download({}) }));
    await vi.waitFor(() => expect(server.atOnce).toBe(5));
    const sixth = world().place({ action: download({}) });
    await world().logged(sixth, 'Downloading app...');
    world().stop(sixth);
    await world().reported('remove', sixth);
    expect(server.mostAtOnce).toBe(5);
    for (const guid of running) world().stop(guid);
    await Promise.all(running.map((guid) => world().gone(guid)));
  });

  describe('archives that mean harm', () => {
    const reasonOf = async (body: Buffer, diskMb = 1) => {
      server.serve('/app', { body });
      return (await world().runTask({ action: download({}), diskMb })).failureReason;
    };

    it.each([
      ['zip', () => zipOf({ zeros: Buffer.alloc(50_000_000) })],
      ['tgz', () => tgzOf({ zeros: Buffer.alloc(50_000_000) })],
    ])('a %s bomb is not unpacked beyond the disk limit', async (_kind, bomb) => {
      expect(await reasonOf(await bomb())).toBe(
        'Copying app into the container failed: the archive unpacks to more than 1 MB',
      );
    });

    it('a zip that lies about its size is broken', async () => {
      expect(await reasonOf(zipOf({ zeros: Buffer.alloc(5_000_000) }, { claim: 10 }))).toMatch(
        /^Copying app into the container failed: the archive is broken: /,
      );
    });

    it('an entry outside of the archive is refused', async () => {
      expect(await reasonOf(await tarOf({ '../../etc/passwd': 'root' }))).toBe(
        'Copying app into the container failed: the archive has an entry outside of it: ../../etc/passwd',
      );
    });

    it('devices are left out', async () => {
      const body = await tarOf({ 'dev/mem': { type: 'character-device', devmajor: 1 }, a: 'a' });
      expect(await reasonOf(body)).toBeUndefined();
    });

    it('a header that would fill the memory is refused', async () => {
      const header = (await tarOf({ x: 'x' })).subarray(0, 512);
      header.write('L', 156);
      header.write('77777777777\0', 124);
      header.write('        ', 148);
      header.write(
        `${header
          .reduce((sum, byte) => sum + byte, 0)
          .toString(8)
          .padStart(6, '0')}\0 `,
        148,
      );
      expect(await reasonOf(Buffer.concat([header, Buffer.alloc(2_000_000)]), 100)).toMatch(
        /^Copying app into the container failed: the archive is broken: /,
      );
    });

    it('a download that is too large is cut off', async () => {
      const small = await import('../support/cell-world.js').then(({ CellWorld }) =>
        CellWorld.make({ env: { MAX_TRANSFER_MB: '1' } }),
      );
      server.serve('/app', { body: Buffer.alloc(2_000_000) });
      const task = await small.runTask({ action: download({}) });
      expect(task.failureReason).toBe('Downloading app failed');
      expect(small.log(task.taskGuid, 'LOG').at(-1)).toContain('larger than 1048576 bytes');
      await small.close();
    });
  });

  describe('the cache', () => {
    const limited = useCellWorld({ env: { DOWNLOAD_CACHE_MB: '1' } });
    const cache = (): ArtifactCache => limited().services.artifacts;
    const signal = new AbortController().signal;
    const file = async (name: string, bytes: number) => {
      server.serve(`/${name}`, { body: Buffer.alloc(bytes, name), etag: `"${name}"` });
      return { url: server.url(`/${name}`), cacheKey: name };
    };
    const isKept = async (name: string) => {
      server.answers.length = 0;
      await (await cache().fetchFile({ url: server.url(`/${name}`), cacheKey: name }, signal)).release();
      return server.answers[0]?.includes(' 304 ') ?? false;
    };

    it('8.49 beyond its limit loses what was not used for longest, never what is in use', async () => {
      const used = await cache().fetchFile(await file('used', 400_000), signal);
      await (await cache().fetchFile(await file('old', 300_000), signal)).release();
      await (await cache().fetchFile(await file('new', 300_000), signal)).release();
      await (await cache().fetchFile(await file('more', 300_000), signal)).release();
      expect(cache().bytes).toBeLessThanOrEqual(1_048_576);
      expect(await isKept('used')).toBe(true);
      expect(await isKept('more')).toBe(true);
      expect(await isKept('old')).toBe(false);
      await used.release();
    });

    it('8.49 when all is in use the limit gives way', async () => {
      const first = await cache().fetchFile(await file('first', 700_000), signal);
      const second = await cache().fetchFile(await file('second', 700_000), signal);
      expect(cache().bytes).toBe(1_400_000);
      await Promise.all([first.release(), second.release()]);
    });

    it('fetches one key once for all who ask at the same time', async () => {
      const request = await file('shared', 1_000);
      await Promise.all(Array.from({ length: 10 }, () => cache().fetchFile(request, signal)));
      expect(server.answers.filter((answer) => answer.includes(' 200 '))).toHaveLength(1);
    });

    it('keeps a version that containers have mounted until they are gone', async () => {
      server.serve('/dep', { body: await tgzOf({ a: 'old' }), etag: '"1"' });
      const request = { url: server.url('/dep'), cacheKey: 'dep' };
      const old = await cache().fetchDirectory(request, 'container-1', signal);
      server.serve('/dep', { body: await tgzOf({ a: 'new' }), etag: '"2"' });
      const fresh = await cache().fetchDirectory(request, 'container-2', signal);
      expect(await readdir(old.path)).toEqual(['a']);
      expect(fresh.path).not.toBe(old.path);
      await cache().release('container-1');
      await expect(readdir(old.path)).rejects.toMatchObject({ code: 'ENOENT' });
      expect(await readdir(fresh.path)).toEqual(['a']);
    });

    it('is there again for the next agent, without what was being fetched', async () => {
      await (await cache().fetchFile(await file('kept', 1_000), signal)).release();
      const { ArtifactCache } = await import('../../apps/cell/src/downloader/artifact-cache.js');
      const { limiter } = await import('../../apps/cell/src/executor/limiter.js');
      const { writeFile } = await import('node:fs/promises');
      const directory = join(limited().directory, 'cache');
      await writeFile(join(directory, '.download-half'), 'half');
      const next = await ArtifactCache.open({
        directory,
        maxBytes: 1_000_000,
        maxDownloadBytes: 1_000_000,
        downloading: limiter(1),
      });
      expect(next.bytes).toBe(1_000);
      expect(await readdir(directory)).not.toContain('.download-half');
    });
  });
});
