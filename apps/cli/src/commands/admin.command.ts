import { createReadStream } from 'node:fs';
import type { Command } from 'commander';
import type { RecordCounts } from '#rivera/models';
import type { Imported } from '../admin/import-from.js';
import type { CliContext } from '../cli-context.js';
import { connect } from '../connection.js';
import { CommandFailure } from '../errors.js';
import { print } from '../output.js';

/** `rivera admin`: everything at once, out of a store and into one. */
export function registerAdmin(program: Command, context: CliContext): void {
  const admin = program.command('admin').description('export all records, and import them');
  registerExport(admin, context);
  registerImport(admin, context);
}

function registerExport(admin: Command, context: CliContext): void {
  const { signal, stdout, stderr } = context;
  admin
    .command('export')
    .description('write all records, one to a line; the file holds secrets')
    .option(
      '--output <file>',
      'into this file, which is there only when it is whole (default: standard output)',
    )
    .action(async ({ output }: { output?: string }, command: Command) => {
      const client = await connect(command, context);
      const { exportTo, exportToFile } = await import('../admin/export-to.js');
      const counts =
        output === undefined
          ? await exportTo(client, stdout, signal)
          : await exportToFile(client, output, signal);
      await print(stderr, `Exported ${inWords(counts)}.\n`);
    });
}

interface ImportOptions {
  input?: string;
  merge?: boolean;
}

function registerImport(admin: Command, context: CliContext): void {
  const { signal, stdin, stdout, stderr } = context;
  admin
    .command('import')
    .description('put the records of an export into an empty store')
    .option(
      '--input <file>',
      'from this file, which is checked before anything is written (default: standard input)',
    )
    .option('--merge', 'the store may have records: they are kept, what is missing is added')
    .action(async ({ input, merge = false }: ImportOptions, command: Command) => {
      const client = await connect(command, context);
      const { checkExport, importFrom } = await import('../admin/import-from.js');
      const { linesOf } = await import('../admin/lines.js');
      if (input !== undefined) await checkExport(linesOf(createReadStream(input)));
      const progress: Imported = { created: 0, kept: 0, refused: [] };
      const lines = linesOf(input === undefined ? stdin : createReadStream(input));
      try {
        await importFrom(client, lines, { merge, signal, progress });
      } catch (error) {
        if (progress.created > 0)
          await print(stderr, `What came before is written: ${summaryOf(progress)}.\n`);
        throw error;
      }
      for (const { line, message, fields = [] } of progress.refused) {
        const where = fields.map(({ message: why }) => why).join(' ');
        await print(stderr, `line ${line} was refused: ${where || message}\n`);
      }
      await print(stdout, `Imported: ${summaryOf(progress)}.\n`);
      if (progress.refused.length > 0)
        throw new CommandFailure('Some records were refused; the others are imported.');
    });
}

function summaryOf({ created, kept, refused }: Imported): string {
  return `${created} records created, ${kept} kept as they were, ${refused.length} refused`;
}

function inWords(counts: RecordCounts): string {
  const parts = Object.entries(counts).map(([kind, count]) => `${count} ${kind}`);
  return parts.length === 0 ? 'no records' : parts.join(', ');
}
