// npm run chaos -- --minutes 30 --seed 1 [--backend docker]: see docs/reliability.md.
import { register } from 'node:module';

register('../bench/typescript.hooks.mjs', import.meta.url);
// What was started is ended on the way out, also when somebody stops this.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));
// Each program of a cluster is ended with this one.
process.setMaxListeners(100);
const { runChaos } = await import('./run.ts');
process.exitCode = await runChaos(process.argv.slice(2));
// What a violation has left half done must not keep it from ending.
process.exit();
