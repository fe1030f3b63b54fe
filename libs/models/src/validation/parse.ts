import type { Class } from './class-plan.js';
import { isSurelyFine } from './quick-check.js';
import { thoroughParse } from './thorough-parse.js';

/**
 * Takes what came from outside as a request of a class, or says everything that is wrong with it at once. What is fine is
 * answered as it is, neither copied nor made an instance of the class, so whoever calls gives the input away. Fields
 * that the class does not know are refused; so is `null` where a value may be left out. `transforms`: the class has
 * `@Transform` rules, as query parameters need, which arrive as text.
 *
 * What is fine takes one quick walk; everything else is left to class-validator (docs/decisions, compiled validation).
 *
 * @throws RiveraError `invalid-request` with `details.fields`: path, rule and message of each fault (at most 100;
 *   `details.faults` counts them when there are more, up to about 1000, where Rivera stops looking). Nothing else is
 *   thrown, whatever the input.
 */
export function parse<T extends object>(
  type: Class<T>,
  input: unknown,
  options: { transforms?: boolean } = {},
): T {
  const isFine = !options.transforms && isSurelyFine(type, input);
  return isFine ? (input as T) : thoroughParse(type, input, options);
}
