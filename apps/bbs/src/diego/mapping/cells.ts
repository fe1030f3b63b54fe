import type * as wire from '#rivera/diego-wire';
import type { Cell } from '#rivera/models';
import { messageOf } from './records.js';

/** @param repUrl where the cell's state can be asked for; empty when nowhere */
export function wireCell(cell: Cell, repUrl: string): wire.CellPresence {
  const { placementTags, optionalPlacementTags } = cell;
  return {
    cellId: cell.cellId,
    zone: cell.zone,
    capacity: messageOf('CellCapacity', cell.capacity),
    rootfsProviders: cell.rootfsProviders.map(({ scheme, stacks }) => ({ name: scheme, properties: stacks })),
    placementTags,
    optionalPlacementTags,
    repUrl: repUrl || undefined,
  };
}

/** The value of a cell's presence in locket: the same in Diego's JSON. */
export function cellPresenceJson(cell: Cell, repUrl: string): string {
  const { capacity, placementTags, optionalPlacementTags } = cell;
  return JSON.stringify({
    cell_id: cell.cellId,
    rep_address: '',
    zone: cell.zone,
    capacity: {
      memory_mb: capacity.memoryMb,
      disk_mb: capacity.diskMb,
      containers: capacity.containers,
    },
    rootfs_provider_list: cell.rootfsProviders.map(({ scheme, stacks }) => ({
      name: scheme,
      properties: stacks,
    })),
    placement_tags: placementTags,
    optional_placement_tags: optionalPlacementTags,
    rep_url: repUrl,
    annotations: null,
  });
}
