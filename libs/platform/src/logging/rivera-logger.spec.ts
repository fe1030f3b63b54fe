import { RiveraError } from '#rivera/models';

import { RiveraLogger } from './rivera-logger.js';

function capture(options: { level?: 'info' | 'trace'; format?: 'json' | 'text' } = {}) {
  const lines: string[] = [];
  const logger = RiveraLogger.create({
    app: 'bbs',
    destination: { write: (line) => lines.push(line) },
    ...options,
  });
  return { logger, lines, last: () => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown> };
}

describe('RiveraLogger', () => {
  it('writes an event name with merged fields, ISO time, level and app', () => {
    const { logger, last } = capture();
    logger.log('claimed-actual-lrp', { processGuid: 'web', index: 2 });
    expect(last()).toMatchObject({
      level: 'info',
      app: 'bbs',
      message: 'claimed-actual-lrp',
      processGuid: 'web',
      index: 2,
    });
    expect(last()['time']).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  it('keeps its own members when fields have the same names', () => {
    const { logger, last } = capture();
    logger.log('event', { level: 'high', message: 'other' });
    expect(last()).toMatchObject({ level: 'info', message: 'event', level_: 'high', message_: 'other' });
  });

  it('names nested sessions with dots and keeps their fields', () => {
    const { logger, last } = capture();
    logger.session('converge', { round: 1 }).session('lrps', { shard: 3 }).warn('late');
    expect(last()).toMatchObject({ level: 'warn', session: 'converge.lrps', round: 1, shard: 3 });
  });

  it('understands what Nest passes: a context, a stack, an error', () => {
    const { logger, last } = capture();
    logger.log('Mapped {/v1} route', 'RouterExplorer');
    expect(last()).toMatchObject({ message: 'Mapped {/v1} route', context: 'RouterExplorer' });
    logger.error('broken', 'Error: broken\n    at x.js:1', 'Handler');
    expect(last()).toMatchObject({ stack: 'Error: broken\n    at x.js:1', context: 'Handler' });
    logger.error(new RiveraError('conflict', 'Someone was faster.'));
    expect(last()).toMatchObject({
      message: 'Someone was faster.',
      error: { type: 'RiveraError', code: 'conflict' },
    });
  });

  it('leaves out levels below its own', () => {
    const { logger, lines } = capture();
    logger.debug('detail');
    logger.verbose('more detail');
    expect(lines).toEqual([]);
    const verbose = capture({ level: 'trace' });
    verbose.logger.verbose('more detail');
    expect(verbose.last()).toMatchObject({ level: 'trace' });
  });

  it('never writes secrets', () => {
    const { logger, lines, last } = capture();
    const failure = new Error('cannot reach redis://user:hunter2@host:6379');
    logger.session('s', { jwtSecret: 'hunter2' }).error(
      'Bearer hunter2.x.y was refused',
      {
        headers: { authorization: 'Bearer hunter2' },
        lrp: {
          imagePassword: 'hunter2',
          environmentVariables: [{ name: 'DB', value: 'hunter2' }],
          action: { run: { env: [{ name: 'KEY', value: 'hunter2' }] } },
          volumeMountedFiles: [{ path: '/etc/x', content: 'hunter2' }],
        },
        env: { DB: 'hunter2' },
        password: ['hunter2'],
        fencingToken: 7,
      },
      failure,
    );
    expect(lines.join('')).not.toContain('hunter2');
    expect(last()).toMatchObject({
      fencingToken: 7,
      env: { DB: '[redacted]' },
      lrp: {
        environmentVariables: [{ name: 'DB', value: '[redacted]' }],
        volumeMountedFiles: [{ path: '/etc/x' }],
      },
      error: { message: 'cannot reach redis://user:[redacted]@host:6379' },
    });
  });

  it('survives cycles, big graphs, bytes and bigints', () => {
    const { logger, last } = capture();
    const cycle: Record<string, unknown> = { bytes: Buffer.from('abc'), big: 5n, list: [] };
    cycle['self'] = cycle;
    cycle['many'] = Array.from({ length: 50 }, () => cycle);
    logger.log('odd', { cycle });
    expect(last()['cycle']).toMatchObject({ bytes: '[3 bytes]', big: '5' });
  });

  it('writes one line for people in text format', () => {
    const { logger, lines } = capture({ format: 'text' });
    logger.log('placed', { cellId: 'cell-1', reason: 'two words', resources: { memoryMb: 5 } });
    expect(lines[0]).toMatch(
      /^\S+Z INFO {2}bbs placed cellId=cell-1 reason="two words" resources=\{"memoryMb":5\}\n$/,
    );
  });
});
