import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadBbsConfig } from '../bbs.config.js';
import { readDiegoConfigFile } from './diego-config-file.js';

let directory: string;
let path: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rivera-diego-config-'));
  path = join(directory, 'bbs.json');
});
afterAll(() => rm(directory, { recursive: true }));

const read = async (content: unknown) => {
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return readDiegoConfigFile(path);
};

describe('the configuration file of Diego', () => {
  it('says where to listen and with which certificates; of the rest it is told why not', async () => {
    const { env, ignored } = await read({
      listen_address: '127.0.0.1:8889',
      health_address: '127.0.0.1:8890',
      advertise_url: 'https://bbs.service.cf.internal:8889',
      ca_file: 'ca.crt',
      cert_file: 'bbs.crt',
      key_file: 'bbs.key',
      database_driver: 'mysql',
      max_task_retries: 3,
      converge_repeat_interval: '30s',
      something_new: true,
    });
    expect(env).toEqual({
      DIEGO_WIRE_LISTEN: '127.0.0.1:8889',
      DIEGO_HEALTH_LISTEN: '127.0.0.1:8890',
      DIEGO_WIRE_URL: 'https://bbs.service.cf.internal:8889',
      DIEGO_CA_FILE: 'ca.crt',
      DIEGO_CERT_FILE: 'bbs.crt',
      DIEGO_KEY_FILE: 'bbs.key',
    });
    expect(Object.keys(ignored).toSorted()).toEqual([
      'converge_repeat_interval',
      'database_driver',
      'max_task_retries',
      'something_new',
    ]);
    expect(ignored).toMatchObject({
      database_driver: expect.stringContaining('STORE_REDIS_URL'),
      something_new: 'it is not known',
    });
  });

  it('is refused with its path and what is wrong with it', async () => {
    await expect(read('{')).rejects.toThrow(`The Diego configuration ${path} cannot be used`);
    await expect(read([])).rejects.toThrow('it must be a JSON object');
    await expect(read({ listen_address: 8889 })).rejects.toThrow('listen_address must be a text');
    expect(() => readDiegoConfigFile('/does/not/exist')).toThrow('ENOENT');
  });

  it('two listeners need two ports', () => {
    const env = { REDIS_URL: 'redis://localhost', JWT_SECRET: 'x'.repeat(40) };
    expect(() => loadBbsConfig({ ...env, DIEGO_WIRE_LISTEN: '127.0.0.1:8889' })).toThrow(
      'DIEGO_WIRE_LISTEN and BBS_LISTEN have the same port, 8889; give each its own.',
    );
    expect(loadBbsConfig({ ...env, BBS_LISTEN: ':0', DIEGO_WIRE_LISTEN: '127.0.0.1:0' }).diego).toBeDefined();
  });
});
