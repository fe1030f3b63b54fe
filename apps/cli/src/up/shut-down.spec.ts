import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { shutDown } from './shut-down.js';
import type { Program } from './supervisor.js';

describe('shutDown', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rivera-shut-down-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  function cell(name: string, script: string): Program {
    const args = ['-e', script, 'main.js'];
    return { name, command: process.execPath, args, env: process.env, logFile: '', stopWithinMs: 1 };
  }

  it('ends what others need last, and removes the containers once no cell can make new ones', async () => {
    const steps: string[] = [];
    const reports: string[] = [];
    const trace = join(folder, 'arguments');
    const script = `require('fs').writeFileSync(${JSON.stringify(trace)}, process.argv.at(-1))`;
    await shutDown({
      names: ['redis', 'bbs', 'auctioneer', 'converger', 'cell-1'],
      cells: [cell('cell-1', script)],
      engine: undefined,
      stop: async (...names) => void steps.push(names.join('+')),
      report: (line) => reports.push(line),
    });
    expect(steps).toEqual(['cell-1', 'auctioneer+converger', 'bbs', 'redis']);
    expect(readFileSync(trace, 'utf8')).toBe('--remove-containers');
    expect(reports).toEqual([
      'Stopping cell-1 ...',
      'Removing the containers ...',
      'Stopping auctioneer, converger ...',
      'Stopping bbs ...',
      'Stopping redis ...',
    ]);
  });

  it('goes on when the containers of a cell cannot be removed, and says so', async () => {
    const steps: string[] = [];
    const reports: string[] = [];
    await shutDown({
      names: ['cell-1', 'redis'],
      cells: [cell('cell-1', 'process.exit(3)')],
      engine: undefined,
      stop: async (...names) => void steps.push(...names),
      report: (line) => reports.push(line),
    });
    expect(steps).toEqual(['cell-1', 'redis']);
    expect(reports.join('\n')).toContain('The containers of cell-1 may still run');
  });

  it('speaks only of what was started', async () => {
    const reports: string[] = [];
    const stop = async (): Promise<void> => expect.unreachable();
    await shutDown({ names: [], cells: [], engine: undefined, stop, report: (line) => reports.push(line) });
    expect(reports).toEqual([]);
  });
});
