import type { AuctionCell, LRPAuction, TaskAuction } from '#rivera/auction';

const SIZES_MB = [256, 512, 1024, 2048];
const ROOTFS = 'preloaded:cflinuxfs4';
const TAG_SETS = 8;
const DRIVERS = 5;

export interface Foundation {
  cells: number;
  /** Room of a cell, in containers of the mean size. */
  containers: number;
  /** 8 sets of placement tags times 5 volume drivers. */
  isConstrained?: boolean;
}

/** Cells alike, in three zones. */
export function cellsOf({ cells, containers, isConstrained = false }: Foundation): AuctionCell[] {
  const meanMb = SIZES_MB.reduce((sum, memoryMb) => sum + memoryMb, 0) / SIZES_MB.length;
  const capacity = { memoryMb: Math.round(containers * meanMb), diskMb: containers * 1024, containers };
  return Array.from({ length: cells }, (_, at) => ({
    cellId: `cell-${at}`,
    zone: `z${at % 3}`,
    capacity,
    rootfsProviders: [{ scheme: 'preloaded', stacks: ['cflinuxfs4'] }],
    ...(isConstrained && constraintsOf(Math.floor(at / 3))),
  }));
}

/** `instances` in apps of `perApp`, of 256, 512, 1024 and 2048 MB in turn. */
export function lrpsOf(
  prefix: string,
  instances: number,
  perApp: number,
  isConstrained = false,
): LRPAuction[] {
  return Array.from({ length: instances }, (_, at) => {
    const app = Math.floor(at / perApp);
    return {
      processGuid: `${prefix}-${app}-6f1d9e1c-52a8-4f0a-9c6e-0d6a6f4b7c11`,
      index: at % perApp,
      ...requestOf(app, isConstrained),
    };
  });
}

export function tasksOf(count: number): TaskAuction[] {
  return Array.from({ length: count }, (_, at) => ({
    taskGuid: `task-${at}-0d6a6f4b7c11`,
    ...requestOf(at, false),
  }));
}

function requestOf(app: number, isConstrained: boolean) {
  return {
    // Of another period than the constraints, so that each of these meets all sizes.
    memoryMb: SIZES_MB[(isConstrained ? Math.floor(app / (TAG_SETS * DRIVERS)) : app) % SIZES_MB.length]!,
    diskMb: 1024,
    rootfs: ROOTFS,
    ...(isConstrained && constraintsOf(app)),
  };
}

const constraintsOf = (nth: number) => ({
  placementTags: [`segment-${nth % TAG_SETS}`],
  volumeDrivers: [`driver-${Math.floor(nth / TAG_SETS) % DRIVERS}`],
});
