import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Comparison, SimulationReport } from '#rivera/auction';
import { rivera } from '../../../../test/support/rivera-command.js';

const WORLD = {
  name: 'a small world',
  cells: [{ count: 4, zones: ['z1', 'z2'], capacity: { memoryMb: 100, diskMb: 100, containers: 10 } }],
  steps: [{ apps: [{ name: 'app', apps: 3, instances: 2, memoryMb: 10, diskMb: 10 }] }],
};

describe('rivera simulate', () => {
  let cwd: string;

  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'rivera-simulate-'));
    await writeFile(join(cwd, 'world.json'), JSON.stringify(WORLD));
  });
  afterEach(() => rm(cwd, { recursive: true }));

  const simulate = (line: string, stdin?: string) =>
    rivera(line === '' ? 'simulate' : `simulate ${line}`, { cwd, stdin });
  const read = (file: string) => readFile(join(cwd, file), 'utf8');
  const reportOf = ({ out }: { out: string }) => JSON.parse(out) as SimulationReport;

  it('alone lists the scenarios', async () => {
    const { code, out } = await simulate('');
    expect(code).toBe(0);
    expect(out).toMatch(/^SCENARIO +WORLD +EXPECTED\nA1 +4 empty cells/);
    expect(out).toMatch(/^H8 /m);
  });

  it('prints the report on one scenario', async () => {
    const { code, out } = await simulate('A1');
    expect(code).toBe(0);
    expect(out).toMatch(/^expected +all placed, each cell within 1 of the mean: yes$/m);
    expect(out).toMatch(/^placed +8$/m);
    expect(out).toMatch(/^distribution +0\.0000, at first 0\.0000$/m);
    expect(out).toMatch(/^Z0 +2 +4 +4 +2\.0 %$/m);
  });

  it('prints a line for each of several', async () => {
    const { code, out } = await simulate('a g');
    expect(code).toBe(0);
    expect(out.split('\n').map((line) => line.split(' ')[0])).toEqual([
      'SCENARIO',
      'A1',
      'A2',
      'A3',
      'A4',
      'G',
      '',
    ]);
  });

  it('takes a world from a file, standard input, or options', async () => {
    const expected = {
      submitted: 6,
      placements: 6,
      unplaced: 0,
      zoneSkew: { largest: 0, skewedApps: 0, apps: 3 },
    };
    expect(reportOf(await simulate('-f world.json --json'))).toMatchObject(expected);
    expect(reportOf(await simulate('-f - --json', JSON.stringify(WORLD)))).toMatchObject(expected);
    const flags = '--cells 4 --zones 2 --cell-memory 100 --apps 3 --memory 10 --tasks 1 --json';
    expect(reportOf(await simulate(flags))).toMatchObject({ submitted: 7, placements: 7 });
  });

  it('takes options of the auction', async () => {
    const [spread, packed] = [
      reportOf(await simulate('-f world.json --json')),
      reportOf(
        await simulate('-f world.json --json -o binPackFirstFitWeight=5 -o startingContainerWeight=0'),
      ),
    ];
    expect(packed.distributionScore).toBeGreaterThan(spread.distributionScore);
  });

  it('replays what was recorded, under the same options', async () => {
    const first = await simulate('B3 --json --record inputs.jsonl');
    const again = await simulate('--replay inputs.jsonl --json');
    expect(first.code).toBe(0);
    expect(reportOf(again).cells).toEqual(reportOf(first).cells);
  });

  it('compares two policies', async () => {
    const { code, out } = await simulate('A3 --diff binPackFirstFitWeight=0.75 --json --svg both.svg');
    expect(code).toBe(0);
    const comparison = JSON.parse(out) as Comparison;
    expect(comparison.same + comparison.differences.length).toBe(200);
    expect(comparison.differences.length).toBeGreaterThan(0);
    expect((await read('both.svg')).match(/Cells by memory in use/g)).toHaveLength(2);

    const same = await simulate('A3 --diff engine=scan');
    expect(same.out).toContain('All 200 decisions in 1 auctions are the same.');
  });

  it('draws each cell', async () => {
    await simulate('G --svg cells.svg --html cells.html');
    const svg = await read('cells.svg');
    expect(svg).toContain('<title>REP-1: 100.0 % of 100 MB, 51 containers, 51 of them placed</title>');
    const html = await read('cells.html');
    expect(html).toContain(svg.trim());
    expect(html).toContain('not placed     31: insufficient resources: memory (31)');
  });

  it('escapes names in pictures', async () => {
    const cells = [{ ...WORLD.cells[0], zones: ['<script>'] }];
    await simulate('-f - --html cells.html', JSON.stringify({ ...WORLD, name: '<b>', cells }));
    expect(await read('cells.html')).not.toMatch(/<script>|<b>/);
  });

  it('expects something of a scenario only under its own options', async () => {
    expect((await simulate('A2')).out).toMatch(/^expected /m);
    const packed = await simulate('A2 -o binPackFirstFitWeight=0.75');
    expect(packed.code).toBe(0);
    expect(packed.out).not.toMatch(/^expected /m);
  });

  it.each([
    ['Z', 'There is no scenario "Z".'],
    ['A1 -f world.json', 'not several'],
    ['A1 -o weight=1', 'The auction has no option "weight".'],
    ['A1 -o strict=1', 'The option strict must be a boolean, not 1.'],
    ['A1 -o engine=fast', 'There is no engine "fast".'],
    ['A1 -o strict', '"strict" is no option of the auction'],
    ['A --svg a.svg', '--svg needs one world'],
    ['-f nowhere.json', 'nowhere.json cannot be read'],
    ['--replay nowhere.jsonl', 'nowhere.jsonl cannot be read'],
    ['--replay world.json', 'This is no recording'],
    ['A1 --svg no/such/folder.svg', 'no/such/folder.svg cannot be written'],
    ['--cells 0', 'cells[0].count must be an integer from 1 to 100000, not 0. (isInteger)'],
    ['A1 --scale 2', 'It must be a number above 0 and at most 1.'],
  ])('%s: %s', async (line, message) => {
    const { code, err } = await simulate(line);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(message) as string });
  });

  it('names the field and the rule that a world breaks, and the line of a recording', async () => {
    const world = { ...WORLD, cells: [{ ...WORLD.cells[0], count: 'many' }], steps: [{ shuffle: true }] };
    const { code, err } = await simulate('-f -', JSON.stringify(world));
    expect(code).toBe(2);
    expect(err).toContain('cells[0].count must be an integer from 1 to 100000. (isInteger)');
    expect(err).toContain('steps[0].shuffle is not a field that may be set here; remove it. (isKnownField)');

    await writeFile(
      join(cwd, 'bad.jsonl'),
      '{"recording":1,"title":"t","options":{}}\n{"type":"lost","cellId":7}\n',
    );
    const replay = await simulate('--replay bad.jsonl');
    expect(replay.code).toBe(2);
    expect(replay.err).toContain('line 2');
    expect(replay.err).toContain('cellId must be a string. (isCellId)');
  });
});
