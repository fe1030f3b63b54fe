import { RiveraError } from '#rivera/models';
import { UsageError } from './errors.js';

/** Part of the command's contract, see docs/cli.md. */
export const EXIT_CODES = { ok: 0, failed: 1, usage: 2, unreachable: 3, interrupted: 130 } as const;
export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];

/** What to tell the user of an error: a sentence, a line for each field that was refused, and the exit code. */
export function explain(error: unknown): { text: string; exitCode: ExitCode } {
  const sentence = error instanceof Error ? error.message : String(error);
  if (!(error instanceof RiveraError)) {
    const exitCode = error instanceof UsageError ? EXIT_CODES.usage : EXIT_CODES.failed;
    return { text: `rivera: ${sentence}\n`, exitCode };
  }
  const fields = (error.details.fields ?? []).map(({ field, message }) => `  ${field}: ${message}\n`);
  return {
    text: `rivera: ${sentence}\n${fields.join('')}`,
    exitCode: error.code === 'unavailable' ? EXIT_CODES.unreachable : EXIT_CODES.failed,
  };
}
