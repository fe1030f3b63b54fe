import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where a cluster on this machine keeps its things. All paths are absolute. */
export interface Layout {
  /** The checkout or installation that holds `dist/`. */
  project: string;
  /** `.rivera` in the project, or `RIVERA_DIR`. */
  state: string;
  /** Pid files, and what the launcher is doing. Worthless once nothing runs. */
  run: string;
  logs: string;
}

/** Reads `RIVERA_DIR`, and makes the folders. */
export function openLayout(env: NodeJS.ProcessEnv): Layout {
  const project = findProject(dirname(fileURLToPath(import.meta.url)));
  const state = env['RIVERA_DIR'] ? resolve(env['RIVERA_DIR']) : join(project, '.rivera');
  const layout = { project, state, run: join(state, 'run'), logs: join(state, 'logs') };
  for (const folder of [layout.run, layout.logs]) mkdirSync(folder, { recursive: true });
  return layout;
}

/** A file that `docker/setup.sh` provides: in the state directory, else in the project's own; undefined when nowhere. */
export function findProvided({ state, project }: Layout, path: string): string | undefined {
  return [join(state, path), join(project, '.rivera', path)].find((file) => existsSync(file));
}

/** This code runs from `dist/` or from its source, which lie at different depths. */
function findProject(start: string): string {
  for (let folder = start; folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && /"name":\s*"rivera"/.test(readFileSync(manifest, 'utf8'))) return folder;
  }
  throw new Error(`There is no package.json of Rivera above ${start}; reinstall Rivera.`);
}
