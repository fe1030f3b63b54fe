import { play, played, useCellWorld } from '../support/cell-world.js';

describe('cell: completion, stop and logs', () => {
  const world = useCellWorld({ env: { LOG_LINES_PER_SECOND: '0' } });

  it('8.64 a long reason keeps its beginning and its end', async () => {
    const text = `begin${'ä'.repeat(10_000)}end`;
    const guid = world().place({
      action: play('sleep'),
      monitor: { run: played('say', text, '1') },
      startTimeoutMs: 1,
    });
    const { reason } = await world().reported('crash', guid);
    expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(10_000);

    const { shortened } = await import('../../apps/cell/src/containers/failure-reason.js');
    const short = shortened(text);
    expect(Buffer.byteLength(short)).toBeLessThanOrEqual(10_000);
    expect(short).toMatch(/^begin.*\n\.\.\. \(truncated\)\n.*end$/s);
    expect(short).not.toContain('\uFFFD');
    expect(shortened('short')).toBe('short');
  });

  it('8.65 a sidecar that ends, with 0 too, ends the instance', async () => {
    const guid = world().place({ action: play('polite'), sidecars: [{ action: play('later', '20', '0') }] });
    await world().reported('start', guid);
    expect(await world().reported('crash', guid)).toMatchObject({ reason: 'Exited with status 0' });
    const other = world().place({ action: play('polite'), sidecars: [{ action: play('later', '20', '4') }] });
    expect(await world().reported('crash', other)).toMatchObject({ reason: 'LOG: Exited with status 4' });
  });

  it('8.66 a container that was removed behind the agent’s back has ended', async () => {
    const guid = world().place({ action: play('sleep') });
    await world().reported('start', guid);
    await world().garden.destroy(guid);
    await world().reported('crash', guid);
    await world().gone(guid);
  });

  it('8.67 a container of this cell that nobody wants is removed', async () => {
    await world().garden.create({
      handle: 'stranger',
      rootfs: 'preloaded:base',
      env: [],
      limits: { memoryMb: 1, diskMb: 0, pids: 0, cpuShares: 0 },
      privileged: false,
      ports: [],
      properties: {},
    });
    await world().rep.synchronize();
    expect(await world().garden.list()).toEqual([]);
  });

  it('8.68 output over its rate is announced once and dropped; the cell’s own lines are not', async () => {
    const text = Array.from({ length: 20 }, (_, index) => `line ${index}`).join('\n');
    const limited = world().placeTask({ action: play('say', text), logRateLimit: { bytesPerSecond: 20 } });
    await world().gone(limited);
    expect(world().log(limited, 'LOG')).toEqual(['line 0', 'line 1', 'line 2']);
    expect(world().log(limited, 'CELL')).toContain('app instance exceeded log rate limit (20 bytes/sec)');
    const mute = world().placeTask({ action: play('say', text), logRateLimit: { bytesPerSecond: 0 } });
    await world().gone(mute);
    expect(world().log(mute, 'LOG')).toEqual([]);
    expect(world().log(mute, 'CELL')).toContain(`Cell cell-1 creating container for instance ${mute}`);
    const free = world().placeTask({ action: play('say', text), logRateLimit: { bytesPerSecond: -1 } });
    await world().gone(free);
    expect(world().log(free, 'LOG')).toHaveLength(21);
  });

  it('8.69 a line without an end is cut, between characters; returns cut, empty lines vanish', async () => {
    const guid = world().placeTask({ action: play('say', `a\r\rb\n\n${'€'.repeat(70_000)}`) });
    await world().gone(guid);
    const [first, second, ...long] = world().log(guid, 'LOG').slice(0, -1);
    expect([first, second]).toEqual(['a', 'b']);
    expect(long.join('')).toBe('€'.repeat(70_000));
    expect(long.every((line) => Buffer.byteLength(line) <= 61_440)).toBe(true);
  });

  it('8.71 a last line without an end comes before the line of the exit', async () => {
    const guid = world().placeTask({ action: play('say', 'last words') });
    await world().gone(guid);
    expect(world().log(guid, 'LOG')).toEqual(['last words', 'Exit status 0']);
  });
});
