import { type Auction, type CellVerdict, firstMismatch, isTaskAuction, parseRootfs } from '#rivera/auction';
import {
  type ActualLRPKey,
  type Capacity,
  type CapacityQuestion,
  type Cell,
  notFound,
  type PlacementExplanation,
  type PlacementPlan,
  type PlannedWork,
  type PlanQuestion,
  type ZoneCapacity,
} from '#rivera/models';
import { Clock } from '#rivera/platform';
import type { ProcessRepository } from '#rivera/store';
import { auctionOfInstance, auctionOfTask } from '../auction-requests.js';
import type { CellPicture } from '../cell-picture.js';
import type { CellTrust } from '../cell-trust.js';
import type { DecisionMemory } from '../decision-memory.js';
import { timesThatFit } from '../times-that-fit.js';
import { memberOfSlot, recordIdOf, shardOfMember } from '../work-member.js';
import { bestOf, classesOf, type Judged, nearestMissesOf, summaryOf } from './candidates.js';

/** What answers rest on: the picture of the active auctioneer. */
export interface AnswerBasis {
  readonly picture: CellPicture;
  readonly trust: CellTrust;
}

/** Answers questions about placement on the picture as it is. Nothing is written, and nothing reserved. */
export class PlacementAnswers {
  constructor(
    private readonly basis: AnswerBasis,
    private readonly processes: ProcessRepository,
    private readonly decisions: DecisionMemory,
    private readonly clock: Clock,
  ) {}

  /** Where would this go if it were desired now, all of it together? */
  plan({ lrps, tasks }: PlanQuestion): PlacementPlan {
    const { engine } = this.picture;
    const batch = {
      lrps: lrps.flatMap(({ demand, indices }) =>
        indices.map((index) => auctionOfInstance(demand, { index, resources: demand })),
      ),
      tasks: tasks.map((task) => auctionOfTask(task)),
    };
    const began = performance.now();
    const { placements, failures } = engine.plan(batch);
    const tookUs = microsecondsSince(began);
    return {
      placements: placements.map(({ auction, cellId }) => ({
        ...workOf(auction),
        cellId,
        zone: this.picture.cell(cellId)?.zone ?? '',
      })),
      unplaced: failures.map(({ auction, error, why }) => ({
        ...workOf(auction),
        placementError: error,
        candidates: {
          cells: why.cells,
          suitable: 0,
          mismatched: counted(why.mismatched),
          short: counted(why.short),
          barred: counted(why.barred ?? {}),
        },
      })),
      tookUs,
    };
  }

  /**
   * How do cells stand with an instance? With the one that waits; when it has been placed, with one more like it.
   *
   * Errors: `not-found`.
   */
  async explain(key: ActualLRPKey): Promise<PlacementExplanation> {
    const { processGuid, index } = key;
    const member = memberOfSlot(key);
    const [desired, [actual]] = await Promise.all([
      this.processes.schedulingInfo(processGuid),
      this.processes.actualsById(shardOfMember(member), [recordIdOf(member)]),
    ]);
    if (actual === undefined || desired === undefined)
      throw notFound('instance to be placed', `${processGuid}/${index}`);
    const auction = auctionOfInstance(desired, actual);
    const began = performance.now();
    const verdicts = this.picture.engine.explain(auction);
    const judged = this.judged(verdicts);
    const { placementError, refusedBy, refusal } = actual;
    const cellId = actual.cellId ?? actual.placement?.cellId;
    const decision = this.decisions.of(member);
    return {
      processGuid,
      index,
      ...(cellId !== undefined && { cellId }),
      ...(placementError !== undefined && { placementError }),
      ...(refusedBy !== undefined && { refusedBy }),
      ...(refusal !== undefined && { refusal }),
      ...(decision !== undefined && { decision }),
      candidates: summaryOf(verdicts),
      classes: classesOf(judged),
      best: bestOf(verdicts),
      nearestMisses: nearestMissesOf(judged, auction),
      distrusted: this.basis.trust.distrusted.map(([distrusted, { refusals, restsUntil = 0 }]) => ({
        cellId: distrusted,
        refusals,
        restsUntil,
      })),
      tookUs: microsecondsSince(began),
    };
  }

  /** How many more of this size fit, by zone and pool, under the constraints that are given? */
  capacity({ rootfs, placementTags, volumeDrivers, ...size }: CapacityQuestion): Capacity {
    const { picture } = this;
    const now = this.clock.now();
    const zones = new Map<string, ZoneCapacity>();
    const url = rootfs === undefined ? undefined : parseRootfs(rootfs);
    const meets = (cell: Cell): boolean => {
      const mismatch = firstMismatch(
        rootfs === undefined ? { ...cell, rootfsProviders: [{ scheme: 'any' }] } : cell,
        { rootfs: '', placementTags, volumeDrivers, ...size },
        rootfs === undefined ? { scheme: 'any' } : url,
      );
      return mismatch === undefined;
    };
    for (const { cellId } of picture.presentCells()) {
      const cell = picture.usableCell(cellId, now);
      const available = picture.engine.available(cellId);
      if (cell === undefined || available === undefined || !meets(cell)) continue;
      const { zone, pool } = cell;
      const key = JSON.stringify([zone, pool]);
      const known = zones.get(key) ?? { zone, ...(pool !== undefined && { pool }), cells: 0, instances: 0 };
      zones.set(key, known);
      known.cells += 1;
      known.instances += timesThatFit(available, size);
    }
    const sorted = [...zones].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, zone]) => zone);
    return { instances: sorted.reduce((sum, { instances }) => sum + instances, 0), zones: sorted };
  }

  private get picture(): CellPicture {
    return this.basis.picture;
  }

  private judged(verdicts: readonly CellVerdict[]): Judged[] {
    return verdicts.flatMap((verdict) => {
      const cell = this.picture.cell(verdict.cellId);
      const available = this.picture.engine.available(verdict.cellId);
      return cell === undefined || available === undefined ? [] : [{ verdict, cell, available }];
    });
  }
}

function workOf(auction: Auction): PlannedWork {
  return isTaskAuction(auction)
    ? { taskGuid: auction.taskGuid }
    : { processGuid: auction.processGuid, index: auction.index };
}

/** Without what there is none of. */
function counted(counts: Partial<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(counts).flatMap(([key, count]) =>
      count === undefined || count === 0 ? [] : [[key, count]],
    ),
  );
}

function microsecondsSince(began: number): number {
  return Math.round((performance.now() - began) * 1_000);
}
