import { fc, test } from '@fast-check/vitest';
import { IndexedAuction } from '#rivera/auction';
import {
  cellOf,
  claim,
  eventsOf,
  type InstanceSnapshot,
  place,
  refusePlacement,
  remove,
  start,
} from '#rivera/lifecycle';
import { type ActualLRP, RiveraError, type RiveraEvent } from '#rivera/models';
import { aCell, aSchedulingInfo, anActualLRP } from '#test/builders.js';
import { CellPicture } from './cell-picture.js';
import { CellTrust } from './cell-trust.js';
import { workOfAuction } from './auction-requests.js';
import { memberOfActual } from './work-member.js';

const CELLS = ['cell-1', 'cell-2'].map((cellId) => aCell({ cellId }));
const PROCESSES = ['a', 'b'].map((processGuid) =>
  aSchedulingInfo({ processGuid, instances: 1, memoryMb: 64 }),
);

type Step =
  | { kind: 'place'; process: number; cell: number; isOwn: boolean }
  | { kind: 'claim' | 'start' | 'refuse' | 'remove'; process: number }
  | { kind: 'hear'; count: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('place' as const),
    process: fc.nat(1),
    cell: fc.nat(1),
    isOwn: fc.boolean(),
  }),
  fc.record({ kind: fc.constantFrom('claim', 'start', 'refuse', 'remove'), process: fc.nat(1) }),
  fc.record({ kind: fc.constant('hear' as const), count: fc.nat(4) }),
);

/** A store of two instances, the log of what happened to them, and a picture that hears of it late. */
class World {
  readonly records = PROCESSES.map(({ processGuid }) => anActualLRP({ processGuid }));
  readonly log: RiveraEvent[] = [];
  readonly picture = pictureOf([]);
  private guids = 0;

  act(next: Exclude<Step, { kind: 'hear' }>): void {
    const before = this.records[next.process]!;
    const instance: InstanceSnapshot = {
      processGuid: before.processGuid,
      index: 0,
      desired: PROCESSES[next.process],
      ordinary: before,
    };
    const context = { now: 1, newGuid: () => `guid-${(this.guids += 1)}` };
    const key = { ...(before.placement ?? { instanceGuid: before.instanceGuid!, cellId: before.cellId! }) };
    const rules = {
      place: () =>
        place(instance, {
          instanceGuid: context.newGuid(),
          cellId: CELLS['cell' in next ? next.cell : 0]!.cellId,
          deadline: 9,
        }),
      claim: () => claim(instance, key, context),
      start: () =>
        start(
          instance,
          key,
          { netInfo: { address: '', ports: [] }, routable: true, availabilityZone: '' },
          context,
        ),
      refuse: () => refusePlacement(instance, key, 'no', context),
      remove: () => remove(instance, key, context),
    };
    const transition = attempt(rules[next.kind]);
    const after = transition[0]?.after as ActualLRP | undefined;
    if (after === undefined) return;
    if (next.kind === 'place' && next.isOwn) this.assume(before, after);
    this.records[next.process] = after;
    this.log.push(...eventsOf(transition));
  }

  hear(count: number): void {
    for (const event of this.log.splice(0, count)) this.picture.applyEvent(event, 0);
  }

  /** As the auctioneer does: the engine reserves, then the decision is written. */
  private assume({ processGuid, resources }: ActualLRP, after: ActualLRP): void {
    const work = workOfAuction({ processGuid, index: 0, rootfs: 'any', ...resources });
    const cellId = cellOf(after)!;
    this.picture.engine.reserve(cellId, work);
    this.picture.assume(memberOfActual(after), cellId, work, after.modificationTag);
  }
}

function pictureOf(records: ActualLRP[]): CellPicture {
  const picture = new CellPicture(new IndexedAuction(), new CellTrust());
  for (const cell of CELLS) picture.applyCell(cell.cellId, cell, 0);
  for (const record of records) picture.applyActual(record);
  return picture;
}

function attempt<T>(rule: () => T[]): T[] {
  try {
    return rule();
  } catch (error) {
    if (error instanceof RiveraError) return [];
    throw error;
  }
}

function expectTrue({ picture, records }: World): void {
  const fresh = pictureOf(records);
  for (const { cellId } of CELLS) {
    expect(picture.engine.available(cellId)).toEqual(fresh.engine.available(cellId));
  }
  expect(picture.held).toBe(fresh.held);
}

describe('CellPicture', () => {
  it('decides on work of which it still believes that another cell has it', () => {
    const world = new World();
    world.act({ kind: 'place', process: 0, cell: 0, isOwn: false });
    world.hear(1);
    world.act({ kind: 'refuse', process: 0 });
    world.act({ kind: 'place', process: 0, cell: 1, isOwn: true });
    world.hear(Infinity);
    expectTrue(world);
  });

  test.prop([fc.array(step, { minLength: 5, maxLength: 80, size: 'max' })])(
    'P8 is what the store says, once it has heard of everything, whatever it decided itself',
    (steps) => {
      const world = new World();
      for (const next of steps) {
        if (next.kind === 'hear') world.hear(next.count);
        else world.act(next);
      }
      world.hear(Infinity);
      expectTrue(world);
    },
  );
});
