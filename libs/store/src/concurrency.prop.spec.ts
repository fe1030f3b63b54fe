/** Many writers, few records: whatever they do at the same time, it is as if they had done it one after the other. */
import * as fc from 'fast-check';
import {
  cancelTask,
  claim,
  type Context,
  crash,
  desire,
  desireTask,
  eventsOf,
  placeTask,
  recordId,
  remove,
  removeDesired,
  start,
  startTask,
  type Transition,
  update,
} from '#rivera/lifecycle';
import { type ModificationTag, RiveraError, splitDesiredLRP } from '#rivera/models';
import { BUILT_AT, aDesiredLRP, aTaskDefinition } from '#test/builders.js';
import { checkedContent, startStore, type StoreClient, type StoreHarness } from '#test/store.js';
import { shardOf } from './shards.js';

const WRITERS = 5;
const PROCESSES = ['app-1', 'app-2'];
const TASKS = ['task-1', 'task-2'];

let harness: StoreHarness;
let writers: StoreClient[];
beforeAll(async () => {
  harness = await startStore();
  writers = Array.from({ length: WRITERS }, () => harness.client());
});
afterAll(() => harness.stop());

const STARTED = {
  netInfo: { address: '10.0.0.1', ports: [{ containerPort: 8080, hostPort: 61_001 }] },
  routable: true,
  availabilityZone: 'z1',
};
const VERBS = [
  'desire',
  'scale',
  'remove-desired',
  'claim',
  'start',
  'crash',
  'remove',
  'slots',
  'desire-task',
  'place-task',
  'start-task',
  'cancel-task',
] as const;
interface Command {
  verb: (typeof VERBS)[number];
  which: 0 | 1;
  index: number;
  cell: number;
}
const command = fc.record<Command>({
  verb: fc.constantFrom(...VERBS),
  which: fc.constantFrom(0, 1),
  index: fc.nat({ max: 2 }),
  cell: fc.nat({ max: 1 }),
});
const scripts = fc.array(fc.array(command, { minLength: 10, maxLength: 25 }), {
  minLength: WRITERS,
  maxLength: WRITERS,
});

let guids = 0;
const context: Context = { now: BUILT_AT, newGuid: () => `guid-${(guids += 1)}` };

async function perform(client: StoreClient, { verb, which, index, cell }: Command): Promise<Transition> {
  const processGuid = PROCESSES[which]!;
  const taskGuid = TASKS[which]!;
  const cellId = `cell-${cell}`;
  const key = { instanceGuid: `instance-${index}-${cell}`, cellId };
  const { processes, tasks } = client;
  switch (verb) {
    case 'desire': {
      const wanted = splitDesiredLRP(aDesiredLRP({ processGuid, instances: index }));
      return processes.change(processGuid, (process) => desire(process, wanted, context));
    }
    case 'scale':
      return processes.change(processGuid, (process) =>
        update(process, { instances: index + cell }, context),
      );
    case 'remove-desired':
      return processes.change(processGuid, removeDesired);
    case 'claim':
      return processes.changeInstance({ processGuid, index, decide: (slot) => claim(slot, key, context) });
    case 'start':
      return processes.changeInstance({
        processGuid,
        index,
        decide: (slot) => start(slot, key, STARTED, context),
      });
    case 'crash':
      return processes.changeInstance({
        processGuid,
        index,
        decide: (slot) => crash(slot, key, 'exited', context),
      });
    case 'remove':
      return processes.changeInstance({ processGuid, index, decide: (slot) => remove(slot, key, context) });
    case 'slots':
      return processes.changeInstances(
        shardOf(processGuid),
        [0, 1, 2].map((each) => ({
          processGuid,
          index: each,
          decide: (slot) =>
            slot.ordinary?.state === 'UNCLAIMED'
              ? claim(slot, { ...key, instanceGuid: `slots-${each}` }, context)
              : [],
        })),
      );
    case 'desire-task':
      return tasks.change(taskGuid, (task) =>
        desireTask(task, { taskGuid, domain: 'd', definition: aTaskDefinition() }, context),
      );
    case 'place-task':
      return tasks.change(taskGuid, (task) => placeTask(task, { ...key, deadline: BUILT_AT + 5 }, context));
    case 'start-task':
      return tasks.change(taskGuid, (task) => startTask(task, taskGuid, cellId, context));
    case 'cancel-task':
      return tasks.change(taskGuid, (task) => cancelTask(task, taskGuid, context));
  }
}

it('nothing is lost, torn or invented', async () => {
  await fc.assert(
    fc.asyncProperty(scripts, async (lists) => {
      await harness.clear();
      const done: Transition[] = [];
      await Promise.all(
        lists.map(async (commands, writer) => {
          for (const each of commands) {
            try {
              done.push(await perform(writers[writer]!, each));
            } catch (error) {
              if (!(error instanceof RiveraError) || error.code === 'unavailable') throw error;
            }
          }
        }),
      );
      const { records, events } = await checkedContent(harness.redis);

      const told = [...events.values()].flat().map(({ event }) => JSON.stringify(event));
      expect(told.toSorted()).toEqual(
        done
          .flatMap(eventsOf)
          .map((event) => JSON.stringify(event))
          .toSorted(),
      );
      expectHistory(done, records);
    }),
    { numRuns: 10 },
  );
});

/** Every version of a record was the ground of one change at most, and what stands is what nobody has changed since. */
function expectHistory(done: Transition[], records: Map<string, { modificationTag: ModificationTag }>): void {
  const versionOf = ({ epoch, index }: ModificationTag) => `${epoch}:${index}`;
  const grounds = new Set<string>();
  const results = new Set<string>();
  for (const change of done.flat()) {
    const name = `${change.kind} ${recordId(change)}`;
    if (change.before !== undefined) {
      const ground = `${name} ${versionOf(change.before.modificationTag)}`;
      expect(grounds).not.toContain(ground);
      grounds.add(ground);
    }
    if (change.after !== undefined) results.add(`${name} ${versionOf(change.after.modificationTag)}`);
  }
  for (const ground of grounds) expect(results).toContain(ground);
  const standing = [...results].filter((result) => !grounds.has(result));
  const found = [...records].map(([name, { modificationTag }]) => `${name} ${versionOf(modificationTag)}`);
  expect(found.toSorted()).toEqual(standing.toSorted());
}
