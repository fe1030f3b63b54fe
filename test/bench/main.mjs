import { register } from 'node:module';

register('./typescript.hooks.mjs', import.meta.url);
const { runBench } = await import('./run.ts');
await runBench(process.argv.slice(2));
