import type { CellCapacity, HeldResources } from '#rivera/models';

/** How many containers of this size fit into what is left. What is not limited suffices for any number. */
export function timesThatFit(left: CellCapacity, needed: HeldResources): number {
  const devices = (needed.devices ?? []).map(({ name, count }) => {
    const offered = (left.devices ?? []).filter((device) => device.name === name);
    return times(
      offered.reduce((sum, device) => sum + device.count, 0),
      count,
    );
  });
  return Math.max(
    0,
    Math.min(
      left.containers,
      times(left.memoryMb, needed.memoryMb),
      times(left.diskMb, needed.diskMb),
      times(left.cpuMillicores, needed.cpuMillicores),
      times(left.ports, needed.ports),
      ...devices,
    ),
  );
}

function times(left = Infinity, needed = 0): number {
  if (left < needed) return 0;
  return needed === 0 ? Infinity : Math.floor(left / needed);
}
