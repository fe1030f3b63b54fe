import { register } from 'node:module';

register('../typescript.hooks.mjs', import.meta.url);
const { CASES, smallOf } = await import('./cases.ts');
const { runCase } = await import('./run-case.ts');
const { name, isOracle, isSmoke } = JSON.parse(process.argv[2]);
const placement = CASES.find((each) => each.name === name);
process.send(runCase(isSmoke ? smallOf(placement) : placement, isOracle));
