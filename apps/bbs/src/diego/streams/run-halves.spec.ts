import { desire, removeDesired, update } from '#rivera/lifecycle';
import { splitDesiredLRP } from '#rivera/models';
import { type LoggedEvent, shardOf } from '#rivera/store';
import { aDesiredLRP } from '#test/builders.js';
import { startStore, type StoreHarness } from '#test/store.js';
import { EventRunHalves } from './run-halves.js';

let harness: StoreHarness;
beforeAll(async () => {
  harness = await startStore();
});
beforeEach(() => harness.clear());
afterAll(() => harness.stop());

const context = { now: 1, newGuid: () => crypto.randomUUID() };
const processGuid = 'some-process';
const shard = shardOf(processGuid);

const make = (path: string, imageUsername?: string) =>
  harness.processes.change(processGuid, (process) =>
    desire(
      process,
      splitDesiredLRP(
        aDesiredLRP({
          processGuid,
          action: { run: { path, user: 'u' } },
          ...(imageUsername && { imageUsername, imagePassword: 'secret' }),
        }),
      ),
      context,
    ),
  );
const change = (wanted: Parameters<typeof update>[1]) =>
  harness.processes.change(processGuid, (process) => update(process, wanted, context));
const credentials = (imageUsername: string) => change({ imageUsername, imagePassword: 'secret' });
const remove = () => harness.processes.change(processGuid, (process) => removeDesired(process));

/** What is found for each event of the desired LRP: path of the action and name of the user before → after. */
async function found(events: LoggedEvent[], halves = new EventRunHalves(harness.processes, harness.log)) {
  await halves.find(events);
  return events
    .filter(({ event }) => event.type.startsWith('desired_lrp'))
    .map(({ event }) => {
      const { before, after } = halves.of(event);
      const [was, is] = [before, after].map(
        (run) => run && `${run.action?.run?.path} ${run.imageUsername ?? '-'}`,
      );
      return `${event.type.slice('desired_lrp_'.length)}: ${was ?? ''} → ${is ?? ''}`;
    });
}

const logged = async () => (await harness.log.read(shard, 0)).events;

it('is what the store has while nothing has changed it', async () => {
  await make('first');
  await change({ annotation: 'a' });
  expect(await found(await logged())).toEqual(['created:  → first -', 'changed: first - → first -']);
});

it('is what it was, whatever happened to it since', async () => {
  await make('first', 'one');
  await change({ annotation: 'a' });
  await credentials('two');
  await change({ annotation: 'b' });
  await credentials('three');
  await remove();
  await make('second');
  await change({ annotation: 'c' });
  await remove();
  const expected = [
    'created:  → first one',
    'changed: first one → first one',
    'changed: first one → first two',
    'changed: first two → first two',
    'changed: first two → first three',
    'removed: first three → ',
    'created:  → second -',
    'changed: second - → second -',
    'removed: second - → ',
  ];
  expect(await found(await logged())).toEqual(expected);
  // One by one, as a stream that has fallen behind may read them.
  const halves = new EventRunHalves(harness.processes, harness.log);
  const singly: string[] = [];
  for (const event of await logged()) singly.push(...(await found([event], halves)));
  expect(singly).toEqual(expected);
});

it('is what it was also when it goes between the two reads', async () => {
  await make('first');
  const events = await logged();
  const processes = {
    runInfos: async (guids: string[]) => {
      const runs = await harness.processes.runInfos(guids);
      await credentials('new');
      await remove();
      return runs;
    },
  };
  expect(await found(events, new EventRunHalves(processes, harness.log))).toEqual(['created:  → first -']);
});

it('is not known when the log no longer reaches that far, and never that of another', async () => {
  await make('first');
  const events = await logged();
  await remove();
  await harness.redis.xtrim(`rivera:{s${String(shard).padStart(2, '0')}}:events`, 'MAXLEN', 0);
  await make('second');
  expect(await found(events)).toEqual(['created:  → ']);
});

it('is in the log and in no event', async () => {
  await make('first', 'one');
  await credentials('two');
  await remove();
  for (const { event } of await logged()) expect(JSON.stringify(event)).not.toContain('secret');
});

it('reads nothing for events of others', async () => {
  const runInfos = vi.fn();
  const halves = new EventRunHalves({ runInfos }, harness.log);
  await make('first');
  await halves.find((await logged()).filter(({ event }) => event.type === 'actual_lrp_created'));
  expect(runInfos).not.toHaveBeenCalled();
});
