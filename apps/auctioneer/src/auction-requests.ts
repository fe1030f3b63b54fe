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
  type HeldResources,
  type LRPDemand,
  type Task,
  type TaskDemand,
} from '#rivera/models';

/** An instance as the auction engine wants it. What it holds is fixed when its record is made. */
export function auctionOfInstance(
  desired: LRPDemand,
  { index, resources, refusedBy }: Pick<ActualLRP, 'index' | 'resources' | 'refusedBy'>,
): LRPAuction {
  const { processGuid, rootfs, placementTags, volumeDrivers, priority, affinity, spread } = desired;
  const constraints = { rootfs, placementTags, volumeDrivers, priority, affinity, spread };
  return { processGuid, index, ...constraints, refusedBy, ...held(resources) };
}

/** A task as the auction engine wants it; one that is only planned has no history. */
export function auctionOfTask(
  { taskGuid, definition }: TaskDemand,
  { refusedBy }: Pick<Task, 'refusedBy'> = {},
): TaskAuction {
  const { rootfs, placementTags, priority, affinity } = definition;
  const volumeDrivers = definitionVolumeDrivers(definition);
  const constraints = { rootfs, placementTags, volumeDrivers, priority, affinity };
  return { taskGuid, ...constraints, refusedBy, ...held(definition) };
}

/** What the engine reserves when it places this; to be released if the placement comes to nothing. */
export function workOfAuction(auction: Auction): HeldWork {
  const size = held(auction);
  return isTaskAuction(auction)
    ? { ...size, starting: true }
    : { ...size, processGuid: auction.processGuid, starting: true };
}

/** What an instance that is placed, claimed or running holds on its cell. */
export function workOfActual({ processGuid, resources, state }: ActualLRP): HeldWork {
  return { ...held(resources), processGuid, starting: state !== 'RUNNING' };
}

/** What a task that is placed or running holds on its cell. */
export function workOfTask({ definition, state }: Task): HeldWork {
  return { ...held(definition), starting: state === 'PENDING' };
}

function held({ memoryMb, diskMb, cpuMillicores, ports, devices }: HeldResources): HeldResources {
  return { memoryMb, diskMb, cpuMillicores, ports, devices };
}
