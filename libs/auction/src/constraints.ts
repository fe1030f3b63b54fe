import { hasDevices, isEnough } from '#rivera/models';
import type { CellCapacity, HeldResources, RootfsProvider } from '#rivera/models';
import { keepsLabelConstraints } from './rules.js';
import type { AuctionCell, Mismatch, PlacementRequest, Resource } from './types.js';

/** The parts of a rootfs URL that placement looks at. `opaque`: what follows `scheme:` when that is no path or host. */
export interface RootfsUrl {
  scheme: string;
  opaque?: string;
}

// Control characters and broken escapes make a URL unparsable in Diego; `URL.canParse` alone would let them pass.
// oxlint-disable-next-line no-control-regex
const UNPARSABLE = /[\u0000-\u001f\u007f]|^[^:]*:\/[^?#]*%(?![0-9a-f]{2})/i;

/** Undefined when it is not an absolute URL. The query and the fragment play no part. */
export function parseRootfs(rootfs: string): RootfsUrl | undefined {
  if (UNPARSABLE.test(rootfs) || !URL.canParse(rootfs)) return undefined;
  const [, scheme, rest] = /^([^:]*):([^?#]*)/.exec(rootfs) ?? [];
  if (scheme === undefined || rest === undefined) return undefined;
  return rest.startsWith('/')
    ? { scheme: scheme.toLowerCase() }
    : { scheme: scheme.toLowerCase(), opaque: rest };
}

/**
 * The scheme selects the cell's provider; a provider with stacks wants the opaque part among them, one without takes
 * everything (Diego rep, RootFSProviders).
 */
export function matchesRootfs(providers: readonly RootfsProvider[], rootfs: RootfsUrl | undefined): boolean {
  if (rootfs === undefined) return false;
  const { scheme, opaque } = rootfs;
  return providers.some(
    (provider) =>
      provider.scheme === scheme &&
      (provider.stacks === undefined || (opaque !== undefined && provider.stacks.includes(opaque))),
  );
}

/** Every requested driver is on the cell (Diego rep, MatchVolumeDrivers). */
export function matchesVolumeDrivers(offered: readonly string[], requested: readonly string[]): boolean {
  return requested.every((driver) => offered.includes(driver));
}

/**
 * All tags the cell requires are requested, and all requested tags are required or optional on the cell, so that work
 * without tags never lands on an isolated cell (Diego rep, MatchPlacementTags).
 */
export function matchesPlacementTags(
  cell: Pick<AuctionCell, 'placementTags' | 'optionalPlacementTags'>,
  requested: readonly string[],
): boolean {
  const required = cell.placementTags ?? [];
  const optional = cell.optionalPlacementTags ?? [];
  return (
    required.every((tag) => requested.includes(tag)) &&
    requested.every((tag) => required.includes(tag) || optional.includes(tag))
  );
}

/** The first constraint the cell fails, whatever room it has. `rootfs` is the request's, parsed once for all cells. */
export function firstMismatch(
  cell: AuctionCell,
  request: PlacementRequest,
  rootfs: RootfsUrl | undefined,
  strict = false,
): Mismatch | undefined {
  if (!matchesRootfs(cell.rootfsProviders, rootfs)) return 'rootfs';
  if (!matchesVolumeDrivers(cell.volumeDrivers ?? [], request.volumeDrivers ?? [])) return 'volume-drivers';
  if (!matchesPlacementTags(cell, request.placementTags ?? [])) return 'placement-tags';
  if (!strict && !keepsLabelConstraints(cell, request.affinity)) return 'labels';
  return undefined;
}

/** What is left on a cell, and how many more containers may start on it. */
export interface Left extends CellCapacity {
  /** Absent = any number. */
  starts?: number;
}

/** What there is too little of for one more container that needs this much, its proxy included; strict: Diego's three. */
export function shortages(left: Left, needed: HeldResources, strict = false): Resource[] {
  const short: Resource[] = [];
  if (left.containers < 1) short.push('containers');
  if (!strict && !isEnough(left.cpuMillicores, needed.cpuMillicores)) short.push('cpu');
  if (!strict && !hasDevices(left.devices, needed.devices)) short.push('devices');
  if (left.diskMb < needed.diskMb) short.push('disk');
  if (left.memoryMb < needed.memoryMb) short.push('memory');
  if (!strict && !isEnough(left.ports, needed.ports)) short.push('ports');
  if (!strict && (left.starts ?? Infinity) < 1) short.push('starts');
  return short;
}

/** A capacity of 0 is never enough, not even for a request of 0: the used fraction of nothing has no value. */
export function leftOfSomething(capacity: CellCapacity, left: Left): Left {
  return {
    ...left,
    memoryMb: capacity.memoryMb > 0 ? left.memoryMb : -Infinity,
    diskMb: capacity.diskMb > 0 ? left.diskMb : -Infinity,
    containers: capacity.containers > 0 ? left.containers : -Infinity,
  };
}
