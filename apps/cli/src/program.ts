import { Command, CommanderError } from 'commander';
import type { CliContext } from './cli-context.js';
import { registerAdmin } from './commands/admin.command.js';
import { registerCells } from './commands/cells.command.js';
import { registerCp } from './commands/cp.command.js';
import { registerDeployments } from './commands/deployments.command.js';
import { registerDesire } from './commands/desire.command.js';
import { registerDomains } from './commands/domains.command.js';
import { registerEvents } from './commands/events.command.js';
import { registerExec } from './commands/exec.command.js';
import { registerLogs } from './commands/logs.command.js';
import { registerLrps } from './commands/lrps.command.js';
import { registerPlacement } from './commands/placement.command.js';
import { registerRebalance } from './commands/rebalance.command.js';
import { registerRun } from './commands/run.command.js';
import { registerStats } from './commands/stats.command.js';
import { registerTasks } from './commands/tasks.command.js';
import { registerToken } from './commands/token.command.js';
import { ExitStatus } from './errors.js';
import { registerSimulate } from './simulate/simulate.command.js';

/**
 * The command `rivera` with what it does through the API. Commands import the client when they run, so that help and
 * mistakes are answered at once.
 */
export function createProgram(context: CliContext): Command {
  const program = new Command('rivera')
    .description('desire, run and watch long-running processes and tasks')
    .version(context.version)
    .option('--api <url>', 'address of the API, or several, comma separated (RIVERA_API)')
    .option('--token <token>', 'bearer token (RIVERA_TOKEN)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(text),
    })
    .showHelpAfterError('See `rivera help`.');
  registerDesire(program, context);
  registerDeployments(program, context);
  registerLrps(program, context);
  registerRun(program, context);
  registerPlacement(program, context);
  registerRebalance(program, context);
  registerSimulate(program, context);
  registerTasks(program, context);
  registerLogs(program, context);
  registerStats(program, context);
  registerExec(program, context);
  registerCp(program, context);
  registerCells(program, context);
  registerDomains(program, context);
  registerEvents(program, context);
  registerAdmin(program, context);
  registerToken(program, context);
  return program;
}

/** Run one command line (without node and script); says on stderr what went wrong and returns the exit code. */
export async function runProgram(program: Command, words: string[], context: CliContext): Promise<number> {
  try {
    await program.parseAsync(words, { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has said it already: help and version end with 0, the rest are mistakes in the command line.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof ExitStatus) return error.status;
    const { explain, EXIT_CODES } = await import('./failure.js');
    if (context.signal.aborted) {
      context.stderr.write('rivera: Interrupted.\n');
      return EXIT_CODES.interrupted;
    }
    const { text, exitCode } = explain(error);
    context.stderr.write(text);
    return exitCode;
  }
}
