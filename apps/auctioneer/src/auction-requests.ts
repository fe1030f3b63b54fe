import {
  type Auction,
  type HeldWork,
  isTaskAuction,
  type LRPAuction,
  type TaskAuction,
} from '#rivera/auction';
import {
  type ActualLRP,
  definitionVolumeDrivers,
  type DesiredLRPSchedulingInfo,
  type HeldResources,
  type Task,
} from '#rivera/models';

/** What a desired LRP asks of the cell of each of its instances. */
export type Demand = Pick<
  DesiredLRPSchedulingInfo,
  'processGuid' | 'rootfs' | 'placementTags' | 'volumeDrivers'
>;

/** A task as placement sees it; one that is only planned has no history. */
export type TaskDemand = Pick<Task, 'taskGuid' | 'definition' | 'refusedBy'>;

/** An instance as the auction engine wants it. What it holds is fixed when its record is made. */
export function auctionOfInstance(
  desired: Demand,
  { index, resources, refusedBy }: Pick<ActualLRP, 'index' | 'resources' | 'refusedBy'>,
): LRPAuction {
  const { processGuid, rootfs, placementTags, volumeDrivers } = desired;
  return { processGuid, index, rootfs, placementTags, volumeDrivers, refusedBy, ...held(resources) };
}

/** A task as the auction engine wants it. */
export function auctionOfTask({ taskGuid, definition, refusedBy }: TaskDemand): TaskAuction {
  const { rootfs, placementTags } = definition;
  const volumeDrivers = definitionVolumeDrivers(definition);
  return { taskGuid, rootfs, placementTags, volumeDrivers, refusedBy, ...held(definition) };
}

/** What the engine reserves when it places this; to be released if the placement comes to nothing. */
export function workOfAuction(auction: Auction): HeldWork {
  return {
    ...held(auction),
    ...(isTaskAuction(auction) ? {} : { processGuid: auction.processGuid }),
    starting: true,
  };
}

/** What an instance that is placed, claimed or running holds on its cell. */
export function workOfActual({ processGuid, resources, state }: ActualLRP): HeldWork {
  return { ...held(resources), processGuid, starting: state !== 'RUNNING' };
}

/** What a task that is placed or running holds on its cell. */
export function workOfTask({ definition, state }: Task): HeldWork {
  return { ...held(definition), starting: state === 'PENDING' };
}

function held({ memoryMb, diskMb }: HeldResources): HeldResources {
  return { memoryMb, diskMb };
}
