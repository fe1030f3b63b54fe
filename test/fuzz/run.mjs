// npm run fuzz -- --requests 100000 [--seed n]: compiles the programs and the fuzzer, then runs it.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const run = (...args) =>
  spawnSync(process.execPath, args, { stdio: 'inherit', cwd: path('../..') }).status ?? 1;

const compiled = run('node_modules/typescript7/bin/tsc', '-p', path('tsconfig.json'));
process.exitCode =
  compiled === 0 ? run('--enable-source-maps', 'dist/test/fuzz/main.js', ...process.argv.slice(2)) : compiled;
