import { type Command, InvalidArgumentError } from 'commander';
import type {
  CandidateSummary,
  Capacity,
  DesiredLRPRequest,
  PlacementExplanation,
  PlacementPlan,
  PlannedWork,
  TaskRequest,
} from '#rivera/models';
import type { CliContext } from '../cli-context.js';
import { connect } from '../connection.js';
import { ago, print, printJson } from '../output.js';
import { collect, parseCount, parseMb } from '../parse.js';
import { readJson } from '../read-json.js';
import { formatRecord, formatTable } from '../table.js';

interface Slot {
  processGuid: string;
  index?: number;
}

/** `rivera plan`, `explain` and `capacity`: questions about placement. */
export function registerPlacement(program: Command, context: CliContext): void {
  const { signal, stdout } = context;
  program
    .command('plan')
    .description('say where an LRP or a task would go; nothing is written')
    .requiredOption('-f, --file <file>', 'the desired LRP or task in JSON, or a list; - reads standard input')
    .option('--json', 'one JSON object')
    .action(async ({ file, json }: { file: string; json?: boolean }, command: Command) => {
      const content = await readJson(file, context);
      const client = await connect(command, context);
      const plan = await client.plan(planOf(content), { signal });
      if (json) await printJson(stdout, plan);
      else await print(stdout, planText(plan));
    });
  program
    .command('explain')
    .description('say why an instance is where it is, or nowhere')
    .argument('<processGuid[/index]>', 'which; index 0 when absent', parseSlot)
    .option('--json', 'one JSON object')
    .action(async ({ processGuid, index = 0 }: Slot, { json }: { json?: boolean }, command: Command) => {
      const client = await connect(command, context);
      const explanation = await client.explainPlacement(processGuid, index, { signal });
      if (json) await printJson(stdout, explanation);
      else await print(stdout, explanationText(explanation, context.now()));
    });
  registerCapacity(program, context);
}

interface CapacityOptions {
  memory: number;
  disk: number;
  rootfs?: string;
  tag?: string[];
  volumeDriver?: string[];
  json?: boolean;
}

function registerCapacity(program: Command, context: CliContext): void {
  program
    .command('capacity')
    .description('say how many more instances of a size fit, by zone and pool')
    .requiredOption('--memory <mb>', 'memory of an instance, e.g. 512 or 2G', parseMb)
    .requiredOption('--disk <mb>', 'disk of an instance', parseMb)
    .option('--rootfs <rootfs>', 'only cells that have it')
    .option('--tag <tag>', 'placement tag, repeatable', collect)
    .option('--volume-driver <driver>', 'repeatable', collect)
    .option('--json', 'one JSON object')
    .action(async ({ memory, disk, rootfs, tag, volumeDriver, json }: CapacityOptions, command: Command) => {
      const client = await connect(command, context);
      const query = { memoryMb: memory, diskMb: disk, rootfs, placementTag: tag, volumeDriver };
      const capacity = await client.getCapacity(query, { signal: context.signal });
      if (json) await printJson(context.stdout, capacity);
      else await print(context.stdout, capacityText(capacity));
    });
}

/** A file for `desire` holds one LRP; one with a definition is a task. What else it may be is for the server to say. */
function planOf(content: unknown): { lrps?: DesiredLRPRequest[]; tasks?: TaskRequest[] } {
  const all = (Array.isArray(content) ? content : [content]) as object[];
  const isTask = (item: unknown) => typeof item === 'object' && item !== null && 'definition' in item;
  const tasks = all.filter(isTask) as TaskRequest[];
  const lrps = all.filter((item) => !isTask(item)) as DesiredLRPRequest[];
  return { ...(lrps.length > 0 && { lrps }), ...(tasks.length > 0 && { tasks }) };
}

/** `guid` or `guid/index`. */
function parseSlot(text: string): Slot {
  const [, processGuid, index] = /^([^/]+)(?:\/(\d+))?$/.exec(text) ?? [];
  if (processGuid === undefined) {
    throw new InvalidArgumentError('It must be a process guid, or one with an index: my-app/2.');
  }
  return { processGuid, ...(index !== undefined && { index: parseCount(index) }) };
}

function planText({ placements, unplaced, tookUs }: PlacementPlan): string {
  const table = formatTable(placements, [
    { heading: 'WHAT', value: nameOf },
    { heading: 'CELL', value: ({ cellId }) => cellId },
    { heading: 'ZONE', value: ({ zone }) => zone },
  ]);
  const failures = formatTable(unplaced, [
    { heading: 'WHAT', value: nameOf },
    { heading: 'WHY NOT', value: ({ placementError }) => placementError },
    { heading: 'CELLS', value: ({ candidates }) => summaryText(candidates) },
  ]);
  const sentence = `${placements.length} would be placed, ${unplaced.length} would not (${milliseconds(tookUs)}). Nothing was.\n`;
  return [placements.length > 0 && table, unplaced.length > 0 && failures, sentence]
    .filter(Boolean)
    .join('\n');
}

function explanationText(explanation: PlacementExplanation, now: number): string {
  const { processGuid, index, cellId, placementError, refusedBy, refusal, decision } = explanation;
  const { candidates, classes, best, nearestMisses, distrusted, tookUs } = explanation;
  const parts = [
    formatRecord([
      ['instance', `${processGuid}/${index}`],
      ['cell', cellId ?? 'none yet'],
      ['placement error', placementError],
      ['refused by', refusedBy?.join(', ')],
      ['first refusal', refusal && `${refusal.cellId}: ${refusal.reason}`],
      ['decided', decision && `${ago(decision.decidedAt, now)} ago, in ${milliseconds(decision.tookUs)}`],
      ['cells now', summaryText(candidates)],
      ['looked at in', milliseconds(tookUs)],
    ]),
    best.length > 0 &&
      `Best cells, lower scores first among cells with equally few instances\n${formatTable(best, [
        { heading: 'CELL', value: (cell) => cell.cellId },
        { heading: 'ZONE', value: (cell) => cell.zone },
        { heading: 'IN ZONE', value: (cell) => cell.zoneInstances, align: 'right' },
        { heading: 'ON CELL', value: (cell) => cell.instances, align: 'right' },
        { heading: 'SCORE', value: (cell) => cell.score.toFixed(4), align: 'right' },
        { heading: 'REFUSED IT', value: (cell) => (cell.refused ? 'yes' : 'no') },
      ])}`,
    nearestMisses.length > 0 &&
      `Nearest misses\n${formatTable(nearestMisses, [
        { heading: 'CELL', value: (cell) => cell.cellId },
        { heading: 'ZONE', value: (cell) => cell.zone },
        { heading: 'LACKS', value: ({ lacks }) => counts(lacks) },
      ])}`,
    classes.length > 0 &&
      `Cells by kind\n${formatTable(classes, [
        { heading: 'ZONE', value: ({ zone }) => zone },
        { heading: 'POOL', value: ({ pool }) => pool },
        { heading: 'ROOTFS', value: ({ rootfses }) => rootfses.join(', ') },
        { heading: 'TAGS', value: ({ placementTags }) => placementTags.join(', ') },
        { heading: 'CELLS', value: summaryText },
      ])}`,
    distrusted.length > 0 &&
      `Cells that do not take what they are given\n${formatTable(distrusted, [
        { heading: 'CELL', value: (cell) => cell.cellId },
        { heading: 'REFUSALS', value: ({ refusals }) => refusals, align: 'right' },
        {
          heading: 'LEFT ALONE',
          value: ({ restsUntil }) => (restsUntil > now ? `${ago(now, restsUntil)} more` : 'on trial'),
        },
      ])}`,
  ];
  return parts.filter(Boolean).join('\n');
}

function capacityText({ instances, zones }: Capacity): string {
  const table = formatTable(zones, [
    { heading: 'ZONE', value: ({ zone }) => zone },
    { heading: 'POOL', value: ({ pool }) => pool },
    { heading: 'CELLS', value: ({ cells }) => cells, align: 'right' },
    { heading: 'INSTANCES', value: (zone) => zone.instances, align: 'right' },
  ]);
  return `${table}\n${instances} more would fit.\n`;
}

function nameOf(work: PlannedWork): string {
  return 'taskGuid' in work ? `task ${work.taskGuid}` : `${work.processGuid}/${work.index}`;
}

/** `12 cells: 3 suitable, 9 short of memory`. */
function summaryText({ cells, suitable, mismatched, short, barred }: CandidateSummary): string {
  const parts = [
    ...(suitable > 0 ? [`${suitable} suitable`] : []),
    ...Object.entries(mismatched).map(([what, count]) => `${count} without the ${what.replace('-', ' ')}`),
    ...Object.entries(short).map(([what, count]) => `${count} short of ${what}`),
    ...Object.entries(barred).map(([what, count]) => `${count} kept from it by ${what}`),
  ];
  return `${cells} ${cells === 1 ? 'cell' : 'cells'}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`;
}

function counts(amounts: Record<string, number>): string {
  return Object.entries(amounts)
    .map(([what, amount]) => `${what} ${amount}`)
    .join(', ');
}

function milliseconds(us: number): string {
  return `${(us / 1_000).toFixed(3)} ms`;
}
