import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RiveraError } from '#rivera/models';
import { connectRedis } from '#rivera/store';
import { type BbsHarness, startBbs } from '#test/bbs.js';
import { aDesiredLRP, aRealisticDesiredLRP, aTaskDefinition } from '#test/builders.js';
import { FakeCell } from '#test/fake-cell.js';
import { Following } from '#test/follow.js';
import { rivera } from '#test/rivera-command.js';
import { checkedContent } from '#test/store.js';

const SECRET = 'hidden-from-clients';

let bbs: BbsHarness;
let redis: ReturnType<typeof connectRedis>;
let directory: string;
let file: string;
beforeAll(async () => {
  bbs = await startBbs();
  redis = connectRedis(bbs.redis.url);
  directory = await mkdtemp(join(tmpdir(), 'rivera-export-'));
  file = join(directory, 'store.jsonl');
});
afterAll(async () => {
  redis.disconnect();
  await rm(directory, { recursive: true });
  await bbs.stop();
});

const admin = (line: string, stdin?: string) =>
  rivera(`admin ${line}`, { env: { RIVERA_API: bbs.url, RIVERA_TOKEN: bbs.token() }, stdin });

/** Records of all kinds, on a cell that is being drained. */
async function fill(): Promise<void> {
  const client = bbs.client();
  const cell = await new FakeCell(bbs, 'cell-1').register();
  await client.desireLRP(aRealisticDesiredLRP({ processGuid: 'real', instances: 2 }));
  const credentials = { imageUsername: 'me', imagePassword: SECRET };
  await client.desireLRP(aDesiredLRP({ processGuid: 'web', instances: 3, ...credentials }));
  await cell.run('web', 0);
  await cell.run('web', 1);
  await client.desireTask({ taskGuid: 'job', domain: 'd', definition: aTaskDefinition() });
  await cell.placeTask('job');
  await client.desireLRP(aDesiredLRP({ processGuid: 'old', instances: 0 }));
  await client.startDeployment({
    processGuid: 'old',
    definition: aDesiredLRP({ processGuid: 'new' }),
  });
  await bbs.as().put('/v1/domains/playground').send({ ttlSeconds: 0 }).expect(200);
  await bbs.as().put('/v1/cells/cell-1/drain').send({ timeoutMs: 600_000 }).expect(200);
}

async function records(): Promise<Map<string, object>> {
  return new Map((await checkedContent(redis)).records);
}

describe('an export and its import', () => {
  let before: Map<string, object>;
  let cursor: string | undefined;
  beforeAll(async () => {
    await fill();
    const following = await Following.start(bbs.client());
    await bbs.as().put('/v1/cells/cell-1/cordon').expect(200);
    await bbs.client().updateDesiredLRP('web', { annotation: 'the last change' });
    await following.until(({ types }) => types.includes('desired_lrp_changed'));
    ({ cursor } = await following.stop());
    before = await records();
    expect(await admin(`export --output ${file}`)).toMatchObject({ code: 0, out: '' });
  });

  it('is lines of JSON with counts and a sum, which only their owner can read', async () => {
    const lines = (await readFile(file, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines[0]).toMatchObject({ format: 'rivera-export', version: 1, schema: 2 });
    expect(lines.at(-1)).toMatchObject({
      end: true,
      counts: { domain: 1, cell: 1, desired: 4, actual: 5, task: 1, deployment: 1 },
    });
    expect(await readFile(file, 'utf8')).toContain(SECRET);
    expect((await stat(file)).mode & 0o077).toBe(0);
    expect(bbs.log.join()).toContain('ended-export');
  });

  it('is refused by a store that has records, and merged into it when told so', async () => {
    const refused = await admin(`import --input ${file}`);
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toContain('This store is not empty: it has 11 records');
    expect(await records()).toEqual(before);

    await bbs.client().removeDesiredLRP('web');
    const merged = await admin(`import --merge --input ${file}`);
    expect(merged.out).toMatch(/^Imported: \d records created, \d+ kept as they were, 0 refused\.\n$/);
    expect((await records()).get('desired web')).toEqual(before.get('desired web'));
  });

  it('a cut-off or damaged file is noticed before anything is written', async () => {
    await redis.flushall();
    const whole = await readFile(file, 'utf8');
    const cut = join(directory, 'cut.jsonl');
    await writeFile(cut, whole.slice(0, whole.lastIndexOf('\n', whole.length - 2) + 1));
    expect((await admin(`import --input ${cut}`)).err).toContain(
      'The export is cut off: it ends after line 14',
    );
    await writeFile(cut, whole.replace('the last change', 'a later change'));
    expect((await admin(`import --input ${cut}`)).err).toContain('The export is damaged');
    expect((await records()).size).toBe(0);
  });

  it('a pipe that breaks off is reported, with what is written by then', async () => {
    const [first, second, third] = (await readFile(file, 'utf8')).split('\n');
    const { code, err } = await admin('import', `${first}\n${second}\n${third}\n`);
    expect(code).toBe(1);
    expect(err).toContain('The export is cut off: it ends after line 3');
    await redis.flushall();
  });

  it('puts everything back as it was, tags included; a follower from before is told to list again', async () => {
    expect(await admin(`import --input ${file}`)).toEqual({
      code: 0,
      out: 'Imported: 13 records created, 0 kept as they were, 0 refused.\n',
      err: '',
    });
    expect(await records()).toEqual(before);
    const following = await Following.start(bbs.client(), {}, { lastEventId: cursor });
    await following.until(({ resets }) => resets.length > 0);
    await following.stop();
    // A second time nothing is missing.
    const again = await admin(`import --merge --input ${file}`);
    expect(again.out).toBe('Imported: 0 records created, 13 kept as they were, 0 refused.\n');
  });

  it('events tell of what was imported', async () => {
    await redis.flushall();
    const following = await Following.start(bbs.client());
    await admin(`import --input ${file}`);
    await following.until(({ resets }) => resets.length > 0);
    await following.stop();
    const { events } = await checkedContent(redis);
    const types = [...events.values()].flat().map(({ event }) => event.type);
    expect(types.filter((type) => type === 'actual_lrp_created')).toHaveLength(5);
  });

  it('what an operator wanted of a cell is there for a cell that came by itself', async () => {
    await redis.flushall();
    await new FakeCell(bbs, 'cell-1').register();
    await admin(`import --input ${file}`);
    expect(await bbs.client().getCell('cell-1')).toMatchObject({ cordoned: true, epoch: 1 });
  });
});

describe('records that do not follow the rules', () => {
  it('are refused by line, the others are imported', async () => {
    await redis.flushall();
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    const records = lines.slice(1, -1);
    const damaged = records.map((line) =>
      line.replace('"processGuid":"web","index":2', '"processGuid":"web","index":-2'),
    );
    const found = damaged.findIndex((line, i) => line !== records[i]);
    const answer = await bbs
      .as('admin:write')
      .post('/v1/admin/imports/records')
      .send({
        schema: 2,
        records: [...damaged.map((line) => JSON.parse(line) as object), { kind: 'spoon' }, null],
      })
      .expect(200);
    expect(answer.body).toMatchObject({
      created: 12,
      kept: 0,
      refused: [
        { position: found, fields: [{ field: 'index' }] },
        { position: 13, message: expect.stringContaining('one of the kinds') as string },
        { position: 14 },
      ],
    });
  });

  it('of a schema that is not known yet are refused altogether', async () => {
    const { body } = await bbs
      .as('admin:write')
      .post('/v1/admin/imports')
      .send({ schema: 3, lastEvent: 0, merge: true })
      .expect(422);
    expect(body).toMatchObject({ code: 'unsupported' });
  });

  it('a token for some domains gets nothing', async () => {
    const token = bbs.token({ domains: ['d'] });
    await expect(bbs.client({ token }).exportStore().next()).rejects.toThrow(RiveraError);
  });
});

describe('a bbs that restores', () => {
  it('lets in nobody but operators', async () => {
    const restoring = await startBbs({ redis: bbs.redis, env: { BBS_RESTORE: 'true' } });
    await restoring.as().get('/v1/desired-lrps').expect(503);
    await restoring.as('admin:read').get('/v1/admin/export').expect(200);
    await restoring.stop();
  });
});
