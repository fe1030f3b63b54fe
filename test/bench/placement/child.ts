import { CASES, smallOf } from './cases.js';
import type { Job } from './cases.js';
import { runCase } from './run-case.js';

const { name, isOracle, isSmoke } = JSON.parse(process.argv[2] ?? '{}') as Job;
const placement = CASES.find((each) => each.name === name);
if (placement === undefined) throw new Error(`There is no case ${name}.`);
process.send?.(runCase(isSmoke ? smallOf(placement) : placement, isOracle));
