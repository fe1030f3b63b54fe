import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { secretKey } from '#rivera/platform';
import { jwtVerify } from 'jose';
import { createProgram, runProgram } from '../program.js';

const NOW = 1_700_000_000_000;
const SECRET = 'a-secret-of-at-least-thirty-two-bytes';
const OTHER = 'the-other-secret-of-thirty-two-bytes-or-more';

describe('rivera token', () => {
  const home = mkdtempSync(join(tmpdir(), 'rivera-token-'));
  const below = join(home, 'a', 'b');
  mkdirSync(join(home, '.rivera'));
  mkdirSync(below, { recursive: true });
  writeFileSync(join(home, '.rivera', 'secret'), `${SECRET}\n`);
  writeFileSync(join(home, 'a', 'other'), OTHER);
  writeFileSync(join(home, 'a', 'short'), 'hunter2');
  afterAll(() => rmSync(home, { recursive: true }));

  async function rivera(line: string, cwd = below) {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const context = {
      version: '1.2.3',
      env: { USER: 'alice' },
      cwd,
      stdin: Readable.from([]),
      stdout,
      stderr,
      now: () => NOW,
      newGuid: () => 'guid',
      signal: new AbortController().signal,
    };
    const code = await runProgram(createProgram(context), line.split(' '), context);
    return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') };
  }

  async function claimsOf(line: string, secret = SECRET) {
    const { code, out, err } = await rivera(line);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    const { payload } = await jwtVerify(out.trim(), secretKey(secret), {
      algorithms: ['HS256'],
      issuer: 'rivera',
      audience: 'rivera',
      currentDate: new Date(NOW),
    });
    return payload;
  }

  it('signs with the nearest secret, for a day, in the name of the user', async () => {
    expect(await claimsOf('token --scope lrps:read --scope events:read')).toEqual({
      iss: 'rivera',
      aud: 'rivera',
      sub: 'alice',
      scope: 'lrps:read events:read',
      iat: NOW / 1000,
      exp: NOW / 1000 + 86_400,
    });
  });

  it('makes the token of a cell agent', async () => {
    expect(await claimsOf('token --cell cell-7 --ttl 7d')).toMatchObject({
      sub: 'cell-7',
      cellId: 'cell-7',
      scope: 'cell',
      exp: NOW / 1000 + 7 * 86_400,
    });
  });

  it('limits a token to domains, and takes the secret and the subject it is given', async () => {
    const line =
      'token --secret-file ../other --scope lrps:write --domain shop --domain blog --subject ci --ttl 90s';
    expect(await claimsOf(line, OTHER)).toMatchObject({
      sub: 'ci',
      domains: ['shop', 'blog'],
      exp: NOW / 1000 + 90,
    });
  });

  it.each([
    ['token', 2, 'Give --scope or --cell'],
    ['token --scope lrps:fly', 2, 'There is no scope "lrps:fly". Those there are: lrps:read,'],
    ['token --scope lrps:read --ttl 24', 2, 'number with a unit'],
    ['token --scope lrps:read --ttl 0h', 2, 'number with a unit'],
    ['token --scope lrps:read --secret-file none', 2, 'ENOENT'],
    ['token --scope lrps:read --secret-file ../short', 1, 'use at least 32'],
  ])('refuses %s', async (line, expected, sentence) => {
    const { code, out, err } = await rivera(line);
    expect({ code, out }).toEqual({ code: expected, out: '' });
    expect(err).toContain(sentence);
    expect(err).not.toContain('hunter2');
  });

  it('says where it looked when there is no secret', async () => {
    const { code, err } = await rivera('token --scope lrps:read', '/');
    expect(code).toBe(2);
    expect(err).toContain('There is no .rivera/secret here or above');
  });
});
