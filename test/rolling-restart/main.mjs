// npm run rolling-restart -- [--rounds 3] [--backend fake|process|docker]: see docs/operations/upgrades.md.
import { register } from 'node:module';

register('../bench/typescript.hooks.mjs', import.meta.url);
// What was started is ended on the way out, also when somebody stops this.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));
// Each program of a cluster is ended with this one.
process.setMaxListeners(100);
const { runRollingRestart } = await import('./run.ts');
process.exitCode = await runRollingRestart(process.argv.slice(2));
process.exit();
