import { aRealisticDesiredLRP, aDesiredLRP } from '#test/builders.js';
import { parse, DesiredLRPRequest, CellReportsRequest } from './index.js';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { structuralComplaint } from './validation/structure.js';
import { writeFileSync } from 'node:fs';
function time(name: string, f: () => unknown, n = 2000) {
  for (let i = 0; i < n; i++) f();
  const t = process.hrtime.bigint();
  for (let i = 0; i < n; i++) f();
  console.log(name, Number(process.hrtime.bigint() - t) / n / 1000, 'µs');
}
import { getMetadataStorage } from 'class-validator';
it('bench', () => {
  if (process.env.MEMO) {
    const storage = getMetadataStorage() as unknown as { getTargetValidationMetadatas: (...a: unknown[]) => unknown; groupByPropertyName: (m: object) => unknown };
    const original = storage.getTargetValidationMetadatas.bind(storage);
    const memo = new Map<unknown, unknown>();
    storage.getTargetValidationMetadatas = (c, ...rest) => { let m = memo.get(c); if (!m) memo.set(c, (m = original(c, ...rest))); return m; };
    if (process.env.MEMO === '2') {
      const group = storage.groupByPropertyName.bind(storage);
      const groups = new WeakMap<object, unknown>();
      storage.groupByPropertyName = (m) => { let g = groups.get(m); if (!g) groups.set(m, (g = group(m))); return g; };
    }
  }
  const json = JSON.stringify(aRealisticDesiredLRP());
  writeFileSync('/tmp/mb/lrp.json', json);
  const o = JSON.parse(json);
  console.log(json.length);
  parse(DesiredLRPRequest, o);
  time('json', () => JSON.parse(json));
  time('parse', () => parse(DesiredLRPRequest, o));
  time('small', () => parse(DesiredLRPRequest, aDesiredLRP()));
  time('structure', () => structuralComplaint(o));
  time('transform', () => plainToInstance(DesiredLRPRequest, o, { ignoreDecorators: true }));
  const inst = plainToInstance(DesiredLRPRequest, o, { ignoreDecorators: true });
  time('validate', () => validateSync(inst, { whitelist: true, forbidNonWhitelisted: true, validationError: { target: false, value: false } }));
  const reports = { epoch: 1, reports: Array.from({ length: 100 }, (_, i) => ({ type: 'claim', processGuid: 'a', index: i, instanceGuid: 'x' })) };
  time('100 reports', () => parse(CellReportsRequest, reports), 200);
});
