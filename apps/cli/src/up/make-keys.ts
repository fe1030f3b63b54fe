// Usage: node make-keys.js <folder> <Redis host:port> <cell id>...
// Writes what the programs of a deployment need to trust each other, as files to be sourced by a shell. The secret is
// made once; run it again to add a cell. Used by docker/compose.yaml.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { redisAcl } from './redis-acl.js';
import { mintTokens, openSecrets } from './secrets.js';

const [folder = '', redis = '', ...cellIds] = process.argv.slice(2);
if (folder === '' || redis === '' || cellIds.length === 0) {
  process.stderr.write('Usage: node make-keys.js <folder> <Redis host:port> <cell id>...\n');
  process.exit(2);
}

mkdirSync(folder, { recursive: true });
const secrets = openSecrets({ state: folder });
const tokens = await mintTokens(secrets.secretFile, cellIds);
const user = (name: string) => ({ name, password: secrets.password(name) });
const urlOf = (name: string): string => `redis://${name}:${secrets.password(name)}@${redis}`;

write('users.acl', [
  redisAcl(
    user('default'),
    cellIds.map((cellId) => ({ ...user(cellId), cellId })),
  ),
]);
write('control-plane.env', [
  `export REDIS_URL=${urlOf('default')}`,
  `export JWT_SECRET_FILE=${secrets.secretFile}`,
]);
write('client.env', [`export RIVERA_TOKEN=${tokens.client}`]);
for (const cellId of cellIds) {
  write(`${cellId}.env`, [
    `export RIVERA_TOKEN=${tokens.cells[cellId] ?? ''}`,
    `export BUS_REDIS_URL=${urlOf(cellId)}`,
  ]);
}

function write(file: string, lines: string[]): void {
  writeFileSync(join(folder, file), `${lines.join('\n')}\n`, { mode: 0o600 });
}
