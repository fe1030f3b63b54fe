import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli, startCli, startCliOnTerminal } from '../support/cli.js';
import { type Cluster, useCluster } from '../support/cluster.js';
import { aShellLRP, aTaskRequest, hasDocker, sh } from './workloads.js';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Processes of the process backend see the host's file system; only paths of the API are their own. */
const TMP = '${TMPDIR:-/tmp}';

/** Tells a process from those of others on this machine, who may run the same tests. */
const unique = (): number => 100_000 + Math.floor(Math.random() * 900_000);

/** Stories that hold for each backend. */
function inside(cluster: Cluster): void {
  const script = `echo begun; cd ${TMP}; while true; do [ -f said ] && cat said && rm said; sleep 0.1; done`;
  const lrp = aShellLRP(script, { instances: 2, environmentVariables: [{ name: 'COLOUR', value: 'blue' }] });
  const guid = lrp.processGuid;
  const at = (index: number): string => `${guid}/${index}`;
  const exec = (words: string[], input?: Buffer | string, options: string[] = []) =>
    runCli(cluster, ['exec', ...options, at(0), '--', ...words], input);

  beforeAll(async () => {
    await cluster.client.desireLRP(lrp);
    await cluster.untilRunning(guid, 2);
  });

  it('logs of all instances are there, from whichever cell', async () => {
    const { out, err, status } = await cluster.waitFor(() => runCli(cluster, ['logs', guid]), {
      what: 'both instances have begun',
      until: (result) => result.out.toString().match(/begun/g)?.length === 2,
    });
    expect([status, err]).toEqual([0, '']);
    expect(out.toString()).toMatch(/^\S+Z \[LOG\/0\] OUT begun$/m);
    expect(out.toString()).toMatch(/^\S+Z \[LOG\/1\] OUT begun$/m);
  });

  it('logs are followed, also into the next run of an instance', async () => {
    const cli = startCli(cluster, 'logs', '-f', '--tail', '0', at(1));
    const say = (text: string) =>
      runCli(cluster, ['exec', at(1), '--', '/bin/sh', '-c', `echo ${text} >${TMP}/said`]);
    // The first word may come before the log is followed.
    await cluster.waitFor(async () => void (await say('hello')), {
      what: 'it is followed',
      until: () => cli.out.includes('[LOG/1] OUT hello'),
    });
    const [, before] = await cluster.actuals(guid);
    await cluster.client.retireActualLRP(guid, 1);
    await cluster.waitFor(() => cluster.actuals(guid), {
      what: 'the next run',
      until: ([, after]) => after?.state === 'RUNNING' && after.instanceGuid !== before?.instanceGuid,
    });
    await cluster.waitFor(() => cli.out, {
      what: 'the lines of the next run',
      until: (text) => text.includes('[LOG/1] OUT begun'),
    });
    cli.child.kill('SIGINT');
    expect((await cli.result).status).toBe(0);
  });

  it('the log of a task is followed to its end', async () => {
    const task = aTaskRequest({ action: sh('echo one; sleep 0.5; echo two >&2; echo -n three') });
    await cluster.client.desireTask(task);
    const { out } = await runCli(cluster, ['logs', '-f', '--task', task.taskGuid]);
    const lines = out.toString().match(/\[LOG\] (OUT|ERR) \w+/g);
    expect(lines?.toSorted()).toEqual([
      '[LOG] ERR two',
      '[LOG] OUT Exit',
      '[LOG] OUT one',
      '[LOG] OUT three',
    ]);
  });

  it('a command runs beside the process, as its user and with its environment', async () => {
    const { status, out, err } = await exec([
      '/bin/sh',
      '-c',
      'echo $COLOUR $INSTANCE_INDEX; echo oops >&2; exit 42',
    ]);
    expect([status, out.toString(), err]).toEqual([42, 'blue 0\n', 'oops\n']);
    const own = await exec(['/bin/sh', '-c', 'echo $COLOUR; pwd'], '', [
      '--env',
      'COLOUR=red',
      '--dir',
      '/tmp',
    ]);
    expect(own.out.toString()).toMatch(/^red\n\S*\/tmp\n$/);
  });

  it('input and output go through in full, each at its own end', async () => {
    const bytes = randomBytes(24 * 1024 * 1024);
    const { status, out } = await exec(['/bin/cat'], bytes, ['-i']);
    expect([status, out.length, sha256(out)]).toEqual([0, bytes.length, sha256(bytes)]);
    const counted = await exec(['/bin/sh', '-c', 'wc -c'], bytes, ['-i']);
    expect(counted.out.toString().trim()).toBe(String(bytes.length));
  });

  it('a process waits for a client that does not read, and nothing is lost', async () => {
    const size = 96 * 1024 * 1024 + unique();
    const cli = startCli(
      cluster,
      'exec',
      at(0),
      '--',
      '/bin/sh',
      '-c',
      `head -c ${size} /dev/zero; echo done >&2`,
    );
    cli.child.stdout.pause();
    // What is on the way, through all sockets and pipes, is far less.
    const running = () => exec(['/bin/sh', '-c', `ps | grep "[h]ead -c ${size}" || true`]);
    await cluster.waitFor(running, { what: 'it runs', until: ({ out }) => out.length > 0 });
    for (let looks = 0; looks < 4; looks += 1) expect((await running()).out.toString()).not.toBe('');
    expect(cli.err).toBe('');
    cli.child.stdout.resume();
    const { status, out, err } = await cli.result;
    expect([status, out.length, err]).toEqual([0, size, 'done\n']);
  });

  it('a process that does not read its input is ended by Ctrl-C, and by its client going away', async () => {
    const seconds = `${unique()}`;
    const sleeping = startCli(cluster, 'exec', at(0), '--', '/bin/sleep', seconds);
    const running = async (): Promise<string> =>
      (await exec(['/bin/sh', '-c', `ps | grep "slee[p] ${seconds}" || true`])).out.toString();
    await cluster.waitFor(running, { what: 'it runs', until: (text) => text !== '' });
    sleeping.child.kill('SIGINT');
    expect((await sleeping.result).status).toBe(130);

    const another = startCli(cluster, 'exec', at(0), '--', '/bin/sleep', seconds);
    await cluster.waitFor(running, { what: 'it runs again', until: (text) => text !== '' });
    another.child.kill('SIGKILL');
    await cluster.waitFor(running, { what: 'it has ended', until: (text) => text === '' });
  });

  it('a client that goes away ends a process that ignores it', async () => {
    const seconds = `${unique()}`;
    const stubborn = startCli(
      cluster,
      'exec',
      at(0),
      '--',
      '/bin/sh',
      '-c',
      `trap "" HUP TERM INT; sleep ${seconds}; sleep ${seconds}`,
    );
    const running = async (): Promise<string> =>
      (await exec(['/bin/sh', '-c', `ps | grep "slee[p] ${seconds}" || true`])).out.toString();
    await cluster.waitFor(running, { what: 'it runs', until: (text) => text !== '' });
    stubborn.child.kill('SIGKILL');
    await cluster.waitFor(running, { what: 'it has ended', until: (text) => text === '', timeoutMs: 20_000 });
  });

  it('says what cannot be run, and exits as ssh does', async () => {
    const { status, err } = await exec(['/bin/nothing']);
    expect(status).toBe(255);
    expect(err).toMatch(/^rivera: .*\/bin\/nothing/);
    const nowhere = await runCli(cluster, ['exec', `${guid}/77`, '--', 'true']);
    expect(nowhere).toMatchObject({ status: 255, err: expect.stringContaining('There is no actual LRP') });
  });

  it('stats of an LRP and of a cell are there', async () => {
    const spin = startCli(cluster, 'exec', at(0), '--', '/bin/sh', '-c', 'while :; do :; done');
    const stats = await cluster.waitFor(() => cluster.client.lrpStats(guid), {
      what: 'the processor is used',
      until: ({ items }) => (items.find(({ index }) => index === 0)?.cpuPercent ?? 0) > 1,
    });
    spin.child.kill('SIGKILL');
    expect(stats.items).toMatchObject(
      [0, 1].map((index) => ({
        processGuid: guid,
        index,
        memoryLimitBytes: 32 * 1024 * 1024,
        ageMs: expect.any(Number),
        pids: expect.any(Number),
        cpuNanoseconds: expect.any(Number),
      })),
    );
    const [actual] = await cluster.actuals(guid);
    const cell = await cluster.client.cellStats(actual!.cellId!);
    expect(cell.items.map((item) => item.guid)).toContain(actual!.instanceGuid);
    const { status, out } = await runCli(cluster, ['stats', guid]);
    expect(status).toBe(0);
    expect(out.toString()).toMatch(new RegExp(`^INSTANCE .*AGE\\n${guid}/0 .*\\n${guid}/1 `));
    const tables = await runCli(cluster, ['stats', '--cell', actual!.cellId!, '--json']);
    expect(JSON.parse(tables.out.toString().split('\n')[0]!)).toHaveProperty('memoryBytes');
  });

  it('files and directories are copied in and out', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'rivera-cp-'));
    const here = (...parts: string[]): string => join(directory, ...parts);
    try {
      const bytes = randomBytes(3 * 1024 * 1024);
      await mkdir(here('tree', 'sub'), { recursive: true });
      await writeFile(here('tree', 'sub', 'data'), bytes);
      await writeFile(here('tree', 'hello.txt'), 'hello');
      const cp = (...words: string[]) => runCli(cluster, ['cp', ...words]);
      const fine = { status: 0, err: '' };
      expect(await cp(here('tree'), `${at(0)}:/tmp/there`)).toMatchObject(fine);
      expect(await cp(here('tree', 'hello.txt'), `${at(0)}:/tmp/there/`)).toMatchObject(fine);
      const list = await exec([
        '/bin/sh',
        '-c',
        `cd ${TMP}/there && find . -type f | sort && sha256sum sub/data`,
      ]);
      expect(list.out.toString()).toBe(`./hello.txt\n./sub/data\n${sha256(bytes)}  sub/data\n`);

      expect(await cp(`${at(0)}:/tmp/there`, here('back'))).toMatchObject(fine);
      expect(sha256(await readFile(here('back', 'sub', 'data')))).toBe(sha256(bytes));
      expect(await cp(`${at(0)}:/tmp/there/hello.txt`, here('back', 'sub'))).toMatchObject(fine);
      expect(await readFile(here('back', 'sub', 'hello.txt'), 'utf8')).toBe('hello');
      expect(await cp(`${at(0)}:/tmp/nothing`, here('x'))).toMatchObject({
        status: 1,
        err: expect.stringContaining('/tmp/nothing'),
      });
      expect(await stat(here('x')).catch(() => undefined)).toBeUndefined();
    } finally {
      await rm(directory, { recursive: true });
    }
  });
}

describe('inside instances of the process backend', () => {
  const cluster = useCluster({ cells: 2, backend: 'process' });
  inside(cluster);

  it('a terminal is refused with what to do instead', async () => {
    const lrp = aShellLRP();
    await cluster.client.desireLRP(lrp);
    await cluster.untilRunning(lrp.processGuid, 1);
    const { status, err } = await runCli(cluster, ['exec', '-t', lrp.processGuid, '--', '/bin/sh']);
    expect(status).toBe(255);
    expect(err).toMatch(/terminal/);
  });
});

describe.skipIf(!hasDocker())('inside containers of the Docker Engine', () => {
  const cluster = useCluster({ cells: 2, backend: 'docker' });
  inside(cluster);

  it('a terminal is raw, has the size of ours, is resized with it, and passes the exit status on', async () => {
    const lrp = aShellLRP();
    await cluster.client.desireLRP(lrp);
    await cluster.untilRunning(lrp.processGuid, 1);
    const words = ['exec', '-it', lrp.processGuid, '--', '/bin/sh'];
    const directory = await mkdtemp(join(tmpdir(), 'rivera-tty-'));
    const flag = join(directory, 'resize');
    const resizer = `(while [ ! -e ${flag} ]; do sleep 0.1; done; stty cols 120 rows 50 </dev/tty) &`;
    const cli = startCliOnTerminal(cluster, words, resizer);
    const type = (text: string): void => void cli.child.stdin.write(text);
    const until = (what: string, pattern: RegExp) =>
      cluster.waitFor(() => cli.out, { what, until: (text) => pattern.test(text) });
    await until('a prompt', /[#$] /);
    type('stty size; tty\n');
    await until('its size', /40 100/);
    await writeFile(flag, '');
    await cluster.waitFor(
      () => {
        type('stty size\n');
        return cli.out;
      },
      { what: 'its new size', until: (text) => text.includes('50 120') },
    );
    // Ctrl-C reaches the program over there, and the shell goes on.
    type('sleep 600\n');
    await until('an echo of what was typed', /sleep 600/);
    type('\x03');
    type('echo still $((40 + 2))\n');
    await until('the shell goes on', /still 42/);
    type('exit 33\n');
    expect((await cli.result).status).toBe(33);
    await rm(directory, { recursive: true });
  });
});
