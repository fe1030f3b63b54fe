import { type Class, type ClassPlan, type FieldPlan, planOf } from './class-plan.js';
import { type Walk, fitKeys, isFitJson, isFitList, isPlainObject } from './plain-json.js';
import { LIMITS } from './limits.js';
import { isFine } from './rule.js';

/** The rules of a class are fixed once it is declared; null for a class without a plan. */
const plans = new WeakMap<Class, ClassPlan | null>();

function knownPlan(type: Class): ClassPlan | null {
  let plan = plans.get(type);
  if (plan === undefined) {
    plan = planOf(type) ?? null;
    plans.set(type, plan);
  }
  return plan;
}

/**
 * Looks at the input once and says whether everything about it is certainly fine: `thoroughParse` would accept it and
 * answer the same, at many times the cost. False says nothing: the input may be wrong, or just unusual.
 */
export function isSurelyFine(type: Class, input: unknown): boolean {
  const { maxJsonValues: maxValues = LIMITS.jsonValues } = type as { maxJsonValues?: number };
  const plan = knownPlan(type);
  return plan !== null && isFineObject(plan, input, 0, { values: 1, maxValues });
}

function isFineObject(plan: ClassPlan, input: unknown, depth: number, walk: Walk): boolean {
  if (!isPlainObject(input)) return false;
  const keys = fitKeys(input, depth, walk);
  if (keys === undefined) return false;
  let missing = plan.demanded.length;
  for (const key of keys) {
    const field = plan.fieldOf.get(key);
    if (field === undefined) return false;
    const value = input[key];
    if (!isFineValue(field, value, depth + 1, walk)) return false;
    if (field.isSimple && !keepsRules(field.rules, value, input)) return false;
    if (field.isDemanded) missing -= 1;
  }
  if (missing > 0) return false;
  for (const { name, conditions, rules } of plan.dependent) {
    const value = keys.includes(name) ? input[name] : undefined;
    if (conditions.every((holds) => holds(input, value)) && !keepsRules(rules, value, input)) return false;
  }
  return true;
}

function isFineValue({ part }: FieldPlan, value: unknown, depth: number, walk: Walk): boolean {
  if (part === undefined) return isFitJson(value, depth, walk);
  const plan = knownPlan(part);
  if (plan === null) return false;
  return Array.isArray(value)
    ? areFineParts(plan, value, depth, walk)
    : isFineObject(plan, value, depth, walk);
}

function areFineParts(plan: ClassPlan, list: readonly unknown[], depth: number, walk: Walk): boolean {
  if (!isFitList(list, depth, walk)) return false;
  for (const entry of list) if (!isFineObject(plan, entry, depth + 1, walk)) return false;
  return true;
}

function keepsRules(rules: FieldPlan['rules'], value: unknown, owner: object): boolean {
  for (const rule of rules) if (!isFine(rule(value, owner))) return false;
  return true;
}
