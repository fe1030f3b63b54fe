import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const HERE = new URL('./', import.meta.url);
/** Beside what is measured, so that `#rivera/*` means the same. */
const THERE = new URL('../../../dist/bench/placement/', import.meta.url);

/**
 * Compiles what runs in the processes that are measured, which so do without a compiler in their memory. Returns the path
 * of one of the files.
 */
export function compiled(file: string): string {
  mkdirSync(THERE, { recursive: true });
  for (const source of ['../bench.ts', 'cases.ts', 'worlds.ts', 'run-case.ts', 'child.ts']) {
    const { outputText } = ts.transpileModule(readFileSync(new URL(source, HERE), 'utf8'), {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
    });
    writeFileSync(new URL(source.replace('.ts', '.js'), THERE), outputText);
  }
  return fileURLToPath(new URL(file.replace('.ts', '.js'), THERE));
}
