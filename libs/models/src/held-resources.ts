import type { ContainerSpec } from './container-spec.js';
import type { DeviceCount } from './placement-rules.js';

/** What one container holds on its cell. What is absent, it does not ask for. */
export interface HeldResources {
  memoryMb: number;
  diskMb: number;
  /** Thousandths of a processor. */
  cpuMillicores?: number;
  /** Ports of the cell's address. */
  ports?: number;
  devices?: DeviceCount[];
}

/** What a container of this definition holds, given how many ports of the cell it is to have. */
export function heldResources(
  {
    memoryMb,
    diskMb,
    cpuMillicores,
    devices,
  }: Pick<ContainerSpec, keyof HeldResources & keyof ContainerSpec>,
  ports?: number,
): HeldResources {
  return {
    memoryMb,
    diskMb,
    ...(cpuMillicores !== undefined && { cpuMillicores }),
    ...(ports !== undefined && { ports }),
    ...(devices !== undefined && { devices }),
  };
}

/** A device that a cell does not mention it does not have. */
export function hasDevices(left: readonly DeviceCount[] = [], needed: readonly DeviceCount[] = []): boolean {
  return needed.every(({ name }) => isEnough(countOf(left, name), countOf(needed, name)));
}

/** What is not limited suffices, and so does anything, even less than nothing, for who asks for none. */
export const isEnough = (left = Infinity, needed = 0): boolean => needed <= 0 || left >= needed;

/** A name may be listed more than once. */
export const countOf = (devices: readonly DeviceCount[], device: string): number =>
  devices.reduce((sum, { name, count }) => (name === device ? sum + count : sum), 0);
