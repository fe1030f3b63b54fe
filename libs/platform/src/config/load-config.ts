import { type FieldError, RiveraError } from '#rivera/models';
import type { z } from 'zod';

/** Name of a section → the schema that reads it from the whole environment. */
export type ConfigSections = Record<string, z.ZodType>;

/** What the sections parse to, by section name. */
export type Config<S extends ConfigSections> = { readonly [Name in keyof S]: Readonly<z.output<S[Name]>> };

type Environment = Record<string, string | undefined>;

const SECRET_VARIABLE = /(SECRET|PASSWORD|TOKEN|CREDENTIAL|PRIVATE_KEY)/;

/**
 * Reads the configuration once, at start-up:
 * `loadConfig({ redis: redisConfig, log: logConfig, cell: z.object({ CELL_ID: z.string() }) })`.
 *
 * Each section sees the whole environment and takes the variables it names; an empty variable counts as unset (that
 * is how Compose files say "not set"). The result is frozen.
 *
 * @throws RiveraError `invalid-request` with one sentence on every wrong variable and `details.fields`
 */
export function loadConfig<S extends ConfigSections>(sections: S, env: Environment = process.env): Config<S> {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed: Record<string, unknown> = {};
  const problems = new Map<string, FieldError>();
  for (const [name, schema] of Object.entries(sections)) {
    const result = schema.safeParse(given);
    if (result.success) {
      parsed[name] = result.data;
      continue;
    }
    for (const issue of result.error.issues) {
      const problem = describe(issue, given);
      problems.set(problem.message, problem);
    }
  }
  if (problems.size > 0) {
    const fields = [...problems.values()];
    const sentences = fields.map((field) => field.message).join('; ');
    throw new RiveraError('invalid-request', `The configuration cannot be used: ${sentences}.`, { fields });
  }
  return deepFreeze(parsed) as Config<S>;
}

function describe(issue: z.core.$ZodIssue, env: Environment): FieldError {
  const variable = issue.path.map(String).join('.');
  const expected = issue.message
    .replace(/^Invalid (input|option): expected /, '')
    .replace(/, received .*$/, '');
  return {
    field: variable,
    rule: env[variable] === undefined ? 'required' : issue.code,
    message: `${variable} ${describeGiven(variable, env[variable])}, expected ${expected}`,
  };
}

function describeGiven(variable: string, value: string | undefined): string {
  if (value === undefined) return 'is not set';
  const isPath = variable.endsWith('_FILE');
  if (SECRET_VARIABLE.test(variable) && !isPath) return 'is set to something else';
  return `is ${JSON.stringify(value.replace(/\/\/[^@/]*@/, '//***@').replace(/(password=)[^&]*/gi, '$1***'))}`;
}

/** Freezes plain objects and arrays; key objects and other instances stay as they are. */
function deepFreeze(value: unknown): unknown {
  const isPlain = Array.isArray(value) || Object.getPrototypeOf(value ?? 0) === Object.prototype;
  if (!isPlain) return value;
  Object.values(value as object).forEach(deepFreeze);
  return Object.freeze(value);
}
