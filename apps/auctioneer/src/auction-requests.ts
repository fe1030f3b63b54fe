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
  heldResources,
  type LRPDemand,
  type Task,
  type TaskDemand,
} from '#rivera/models';

/**
 * An instance as the auction engine wants it. What it holds is fixed when its record is made. `failedOn`: cells on which
 * its app has failed lately.
 */
export function auctionOfInstance(
  desired: LRPDemand,
  { index, resources, refusedBy }: Pick<ActualLRP, 'index' | 'resources' | 'refusedBy'>,
  failedOn: string[] = [],
): LRPAuction {
  const { processGuid, rootfs, placementTags, volumeDrivers, priority, affinity, spread } = desired;
  return {
    processGuid,
    index,
    rootfs,
    placementTags,
    volumeDrivers,
    refusedBy,
    ...resources,
    ...(priority !== undefined && { priority }),
    ...(affinity !== undefined && { affinity }),
    ...(spread !== undefined && { spread }),
    ...(failedOn.length > 0 && { failedOn }),
  };
}

/** A task as the auction engine wants it; one that is only planned has no history. */
export function auctionOfTask(
  { taskGuid, definition }: TaskDemand,
  { refusedBy }: Pick<Task, 'refusedBy'> = {},
): TaskAuction {
  const { rootfs, placementTags, priority, affinity } = definition;
  const volumeDrivers = definitionVolumeDrivers(definition);
  return {
    taskGuid,
    rootfs,
    placementTags,
    volumeDrivers,
    refusedBy,
    ...heldResources(definition),
    ...(priority !== undefined && { priority }),
    ...(affinity !== undefined && { affinity }),
  };
}

/** What the engine reserves when it places this; to be released if the placement comes to nothing. */
export function workOfAuction(auction: Auction): HeldWork {
  return {
    ...heldResources(auction, auction.ports),
    ...(isTaskAuction(auction) ? {} : { processGuid: auction.processGuid }),
    starting: true,
  };
}

/** What an instance that is placed, claimed or running holds on its cell. */
export function workOfActual({ processGuid, resources, state }: ActualLRP): HeldWork {
  return { ...resources, processGuid, starting: state !== 'RUNNING' };
}

/** What a task that is placed or running holds on its cell. */
export function workOfTask({ definition, state }: Task): HeldWork {
  return { ...heldResources(definition), starting: state === 'PENDING' };
}
