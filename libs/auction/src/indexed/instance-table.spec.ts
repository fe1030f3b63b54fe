import * as fc from 'fast-check';
import { InstanceTable } from './instance-table.js';

const step = fc.record({ app: fc.nat(12), slot: fc.nat(40), isRemoval: fc.boolean() });

/** Slot → instances of an app, as its list says. */
function listOf(table: InstanceTable, app: number): Record<number, number> {
  const counts: Record<number, number> = {};
  for (let pair = table.firstOf(app); pair >= 0; pair = table.next(pair)) {
    counts[table.slotOf(pair)] = table.countOf(pair);
  }
  return counts;
}

it('counts as a map of maps does, through growth, removal and the reuse of numbers', () => {
  fc.assert(
    fc.property(fc.array(step, { size: 'max', maxLength: 2000 }), (steps) => {
      const table = new InstanceTable();
      const expected = new Map<string, Record<number, number>>();
      for (const { app, slot, isRemoval } of steps) {
        const guid = `app-${app}`;
        const counts = expected.get(guid) ?? {};
        const count = counts[slot] ?? 0;
        if (isRemoval && count === 0) continue;
        if (isRemoval) table.remove(table.idOf(guid), slot);
        else table.add(guid, slot);
        counts[slot] = count + (isRemoval ? -1 : 1);
        if (counts[slot] === 0) delete counts[slot];
        expected.set(guid, counts);
      }
      for (const [guid, counts] of expected) {
        const app = table.idOf(guid);
        expect(listOf(table, app)).toEqual(counts);
        expect(table.cellsOf(app)).toBe(Object.keys(counts).length);
        for (const slot of [0, 20, 40]) expect(table.instancesOn(app, slot)).toBe(counts[slot] ?? 0);
      }
    }),
    { numRuns: 50 },
  );
});
