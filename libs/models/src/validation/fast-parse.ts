import { type Class, type ClassPlan, type FieldPlan, planOf } from './class-plan.js';
import { type Walk, copyOfJson, fitKeys, isFitList, isPlainObject } from './plain-json.js';
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
 * Looks at the input once, and answers the instance when everything about it is certainly fine: equal to what
 * `thoroughParse` answers, at a tenth of its time. Otherwise undefined, which says nothing: the input may be wrong, or just
 * unusual.
 */
export function fastParse<T extends object>(type: Class<T>, input: unknown): T | undefined {
  const { maxJsonValues: maxValues = LIMITS.jsonValues } = type as { maxJsonValues?: number };
  return instanceOf(type, input, 0, { values: 1, maxValues }) as T | undefined;
}

function instanceOf(type: Class, input: unknown, depth: number, walk: Walk): object | undefined {
  const plan = knownPlan(type);
  if (plan === null || !isPlainObject(input)) return undefined;
  const keys = fitKeys(input, depth, walk);
  if (keys === undefined) return undefined;
  const values: unknown[] = plan.absent.slice();
  for (const key of keys) {
    const field = plan.fieldOf.get(key);
    if (field === undefined) return undefined;
    const value = valueOf(field, input[key], depth + 1, walk);
    if (value === undefined) return undefined;
    values[field.position] = value;
  }
  const instance = new plan.Blank() as Record<string, unknown>;
  for (const { name, position } of plan.fields) {
    if (values[position] !== undefined) instance[name] = values[position];
  }
  for (const field of plan.fields) {
    if (!keepsRules(field, values[field.position], instance)) return undefined;
  }
  return instance;
}

function valueOf({ part }: FieldPlan, value: unknown, depth: number, walk: Walk): unknown {
  if (part === undefined) return copyOfJson(value, depth, walk);
  return Array.isArray(value) ? partsOf(part, value, depth, walk) : instanceOf(part, value, depth, walk);
}

function partsOf(type: Class, list: readonly unknown[], depth: number, walk: Walk): object[] | undefined {
  if (!isFitList(list, depth, walk)) return undefined;
  const parts: object[] = [];
  for (const entry of list) {
    const part = instanceOf(type, entry, depth + 1, walk);
    if (part === undefined) return undefined;
    parts.push(part);
  }
  return parts;
}

function keepsRules({ conditions, rules }: FieldPlan, value: unknown, owner: object): boolean {
  for (const condition of conditions) if (!condition(owner, value)) return true;
  for (const rule of rules) if (!isFine(rule(value, owner))) return false;
  return true;
}
