import type { Command } from 'commander';
import type { RiveraClient } from '#rivera/client';
import type { ActualLRP, DesiredLRP } from '#rivera/models';
import type { CliContext } from '../cli-context.js';
import { connect } from '../connection.js';
import { ago, print, printJson } from '../output.js';
import { formatTable } from '../table.js';
import type { Column } from '../table.js';

interface LrpsOptions {
  domain?: string;
  json?: boolean;
}

/** What is wanted of one process guid, beside what there is. `desired` is absent while the last instances go. */
interface Lrp {
  processGuid: string;
  desired?: DesiredLRP;
  actualLRPs: ActualLRP[];
}

interface Row {
  processGuid: string;
  actual?: ActualLRP;
}

/** `rivera lrps [processGuid]` */
export function registerLrps(program: Command, context: CliContext): void {
  program
    .command('lrps')
    .description('list the LRPs that are desired, with their instances')
    .argument('[processGuid]', 'only this one')
    .option('--domain <domain>', 'only those of this domain')
    .option('--json', 'one JSON object a line')
    .action(async (processGuid: string | undefined, options: LrpsOptions, command: Command) => {
      const client = await connect(command, context);
      const lrps = await readLrps(client, { processGuid, domain: options.domain }, context.signal);
      if (processGuid !== undefined && lrps.length === 0) {
        // Neither desired nor actual: the server says what that means in its own words.
        await client.getDesiredLRP(processGuid, { signal: context.signal });
      }
      await printLrps(lrps, { context, json: options.json });
    });
}

async function readLrps(
  client: RiveraClient,
  query: { processGuid?: string; domain?: string },
  signal: AbortSignal,
): Promise<Lrp[]> {
  const lrps = new Map<string, Lrp>();
  for await (const desired of client.desiredLRPs(query, { signal })) {
    const { processGuid } = desired;
    lrps.set(processGuid, { processGuid, desired, actualLRPs: [] });
  }
  for await (const actual of client.actualLRPs(query, { signal })) {
    const { processGuid } = actual;
    const lrp = lrps.get(processGuid) ?? { processGuid, actualLRPs: [] };
    lrps.set(processGuid, lrp);
    lrp.actualLRPs.push(actual);
  }
  for (const { actualLRPs } of lrps.values()) actualLRPs.sort((a, b) => a.index - b.index);
  return [...lrps.values()].toSorted((a, b) => (a.processGuid < b.processGuid ? -1 : 1));
}

async function printLrps(
  lrps: Lrp[],
  { context, json }: { context: CliContext; json?: boolean },
): Promise<void> {
  if (json) {
    for (const { processGuid, desired, actualLRPs } of lrps) {
      await printJson(context.stdout, { processGuid, ...desired, actualLRPs });
    }
    return;
  }
  const rows = lrps.flatMap(({ processGuid, actualLRPs }): Row[] =>
    actualLRPs.length === 0 ? [{ processGuid }] : actualLRPs.map((actual) => ({ processGuid, actual })),
  );
  const [only] = lrps;
  const summary = lrps.length === 1 && only ? summaryOf(only) : '';
  await print(context.stdout, summary + formatTable(rows, columns(context.now())));
}

function summaryOf({ processGuid, desired, actualLRPs }: Lrp): string {
  // An index that is being evacuated may run twice for a moment.
  const running = new Set(actualLRPs.filter(({ state }) => state === 'RUNNING').map(({ index }) => index))
    .size;
  if (!desired) return `${processGuid}: no longer desired, ${running} still running\n\n`;
  const { domain, instances, memoryMb, diskMb, rootfs } = desired;
  const needs = `${memoryMb} MB memory, ${diskMb} MB disk, ${rootfs}`;
  return `${processGuid}: ${running} of ${instances} running; domain ${domain}, ${needs}\n\n`;
}

function columns(now: number): Column<Row>[] {
  return [
    { heading: 'PROCESS GUID', value: ({ processGuid }) => processGuid },
    { heading: 'INDEX', value: ({ actual }) => actual?.index, align: 'right' },
    { heading: 'STATE', value: ({ actual }) => actual && stateOf(actual) },
    { heading: 'CELL', value: ({ actual }) => actual?.cellId },
    { heading: 'ADDRESS', value: ({ actual }) => actual && addressesOf(actual) },
    { heading: 'SINCE', value: ({ actual }) => actual && ago(actual.since, now) },
    { heading: 'CRASHES', value: ({ actual }) => actual?.crashCount, align: 'right' },
    { heading: 'REASON', value: ({ actual }) => actual?.placementError ?? actual?.crashReason },
  ];
}

function stateOf({ state, presence, stopping, routable }: ActualLRP): string {
  const remarks = [
    presence === 'ORDINARY' ? undefined : presence.toLowerCase(),
    stopping ? 'stopping' : undefined,
    state === 'RUNNING' && routable === false ? 'not routable' : undefined,
  ];
  return [state, ...remarks].filter((remark) => remark !== undefined).join(', ');
}

function addressesOf({ netInfo }: ActualLRP): string {
  return (netInfo?.ports ?? []).map(({ hostPort }) => `${netInfo?.address}:${hostPort}`).join(' ');
}
