import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { identityOf, readPidFile, takeLock, writePidFile } from './pid-file.js';

describe('pid files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rivera-pid-'));
  const file = join(folder, 'up.pid');
  afterEach(() => rmSync(file, { force: true }));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('name a process for as long as it lives', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    const pid = child.pid ?? 0;
    writePidFile(file, pid);
    expect(readPidFile(file)).toBe(pid);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(readPidFile(file)).toBeUndefined();
  });

  it('do not take another process with the same pid for theirs', () => {
    writeFileSync(file, `${process.pid} 1\n`);
    expect(identityOf(process.pid)).not.toBe('1');
    expect(readPidFile(file)).toBeUndefined();
  });

  it.each(['', 'nonsense', '12', '-1 5', '0 x'])('mean nobody when they hold %j', (content) => {
    writeFileSync(file, content);
    expect(readPidFile(file)).toBeUndefined();
  });

  it('are locks: one holder, and a dead one gives way', () => {
    expect(takeLock(file)).toBeUndefined();
    expect(takeLock(file)).toBe(process.pid);
    writeFileSync(file, `${process.pid} 1\n`);
    expect(takeLock(file)).toBeUndefined();
    expect(readPidFile(file)).toBe(process.pid);
    expect(readdirSync(folder)).toEqual(['up.pid']);
  });
});
