import type { ActualLRP, Cell, DesiredLRPSchedulingInfo, Task } from '#rivera/models';

/** What a cell has been given, and what its records say of it. */
export interface CellContents {
  cell: Cell;
  actualLRPs: ActualLRP[];
  /** Of the instances. */
  desired: ReadonlyMap<string, DesiredLRPSchedulingInfo>;
  tasks: Task[];
}

/**
 * A cell as its rep would tell it (Diego rep, `GET /state`), out of the store: what it was given, whether or not it runs.
 */
export function cellState({ cell, actualLRPs, desired, tasks }: CellContents, repUrl: string): object {
  const held = [
    ...actualLRPs.map(({ resources }) => resources),
    ...tasks.map(({ definition: { memoryMb, diskMb } }) => ({ memoryMb, diskMb })),
  ];
  const { memoryMb, diskMb, containers } = cell.capacity;
  const sum = (of: (each: (typeof held)[number]) => number) =>
    held.reduce((total, each) => total + of(each), 0);
  return {
    rep_url: repUrl,
    cell_id: cell.cellId,
    cell_index: 0,
    RootFSProviders: Object.fromEntries(
      cell.rootfsProviders.map(({ scheme, stacks }) => [scheme, provider(stacks)]),
    ),
    AvailableResources: {
      MemoryMB: memoryMb - sum((each) => each.memoryMb),
      DiskMB: diskMb - sum((each) => each.diskMb),
      Containers: containers - held.length,
    },
    TotalResources: { MemoryMB: memoryMb, DiskMB: diskMb, Containers: containers },
    LRPs: actualLRPs.map((actual) => lrpState(actual, desired.get(actual.processGuid))),
    Tasks: tasks.map(taskState),
    StartingContainerCount: actualLRPs.filter(({ state }) => state !== 'RUNNING').length,
    Zone: cell.zone,
    Evacuating: cell.evacuating === true || cell.drain !== undefined,
    VolumeDrivers: cell.volumeDrivers ?? [],
    PlacementTags: cell.placementTags ?? [],
    OptionalPlacementTags: cell.optionalPlacementTags ?? [],
    ProxyMemoryAllocationMB: 0,
  };
}

function provider(stacks: string[] | undefined): object {
  if (stacks === undefined) return { type: 'arbitrary' };
  return { type: 'fixed_set', set: Object.fromEntries(stacks.map((stack) => [stack, {}])) };
}

function lrpState(actual: ActualLRP, desired: DesiredLRPSchedulingInfo | undefined): object {
  return {
    instance_guid: actual.instanceGuid ?? actual.placement?.instanceGuid ?? '',
    process_guid: actual.processGuid,
    index: actual.index,
    domain: actual.domain,
    PlacementTags: desired?.placementTags ?? [],
    VolumeDrivers: desired?.volumeDrivers ?? [],
    RootFs: desired?.rootfs ?? '',
    MemoryMB: actual.resources.memoryMb,
    DiskMB: actual.resources.diskMb,
    MaxPids: desired?.maxPids ?? 0,
    state: actual.state === 'RUNNING' ? 'RUNNING' : 'CLAIMED',
  };
}

function taskState({ taskGuid, domain, definition }: Task): object {
  return {
    TaskGuid: taskGuid,
    Domain: domain,
    PlacementTags: definition.placementTags ?? [],
    VolumeDrivers: [],
    RootFs: definition.rootfs,
    MemoryMB: definition.memoryMb,
    DiskMB: definition.diskMb,
    MaxPids: definition.maxPids ?? 0,
    state: 'Running',
    failed: false,
  };
}
