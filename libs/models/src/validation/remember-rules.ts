import { type MetadataStorage, getMetadataStorage } from 'class-validator';
import { isFaultBudgetSpent } from './fault-budget.js';

type Gather = MetadataStorage['getTargetValidationMetadatas'];
type Group = MetadataStorage['groupByPropertyName'];

/** No rule for any field, and yet every field is known: class-validator passes over such an object. */
const NO_RULES: ReturnType<Group> = new Proxy({}, { get: () => [{}] });

/**
 * class-validator gathers and groups the rules of a class anew for every object it looks at, which is half of its time.
 * The rules of a class are fixed once it is declared, so they are gathered once. Validation by groups is left alone.
 * Once the fault budget of a request is spent, further objects have no rules.
 */
export function rememberRules(storage: MetadataStorage = getMetadataStorage()): void {
  const gather: Gather = storage.getTargetValidationMetadatas.bind(storage);
  const group: Group = storage.groupByPropertyName.bind(storage);
  const gathered = new WeakMap<Parameters<Gather>[0], ReturnType<Gather>>();
  const grouped = new WeakMap<Parameters<Group>[0], ReturnType<Group>>();

  storage.getTargetValidationMetadatas = (type, schema, always, strictGroups, groups) => {
    if (always || strictGroups || groups !== undefined)
      return gather(type, schema, always, strictGroups, groups);
    const rules = gathered.get(type) ?? gather(type, schema, always, strictGroups, groups);
    gathered.set(type, rules);
    return rules;
  };
  storage.groupByPropertyName = (rules) => {
    if (isFaultBudgetSpent()) return NO_RULES;
    const groups = grouped.get(rules) ?? group(rules);
    grouped.set(rules, groups);
    return groups;
  };
}
