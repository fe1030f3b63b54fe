import type {
  Auction,
  AuctionBatch,
  AuctionCell,
  AuctionOptions,
  HeldWork,
  LRPAuction,
} from '#rivera/auction';

/**
 * Diego's rule once more, written as literally as possible and on purpose without any code of the engine: floating point
 * scores, zones walked one group after the other, errors worked out from the cells. Slow and plain; the engine is
 * compared with it.
 */
export class ReferenceWorld {
  private readonly cells: ReferenceCell[];

  constructor(
    cells: readonly AuctionCell[],
    private readonly options: AuctionOptions,
  ) {
    this.cells = cells.filter((cell) => !cell.evacuating).map((cell) => new ReferenceCell(cell));
    for (const zone of new Set(this.cells.map(({ cell }) => cell.zone))) {
      const inZone = this.cells.filter(({ cell }) => cell.zone === zone);
      inZone.sort(
        (a, b) => (a.cell.index ?? 0) - (b.cell.index ?? 0) || (a.cell.cellId < b.cell.cellId ? -1 : 1),
      );
      inZone.forEach((reference, at) => (reference.normalisedIndex = at));
    }
  }

  /** What happens to be on a cell already; nothing when the cell is not usable. */
  hold(cellId: string, held: HeldWork): void {
    this.cells.find(({ cell }) => cell.cellId === cellId)?.take(held, true);
  }

  /** Every cell that could rightly win (more than one only when they tie), or the placement error. */
  expected(auction: Auction): { winners: string[] } | { error: string } {
    if (this.cells.length === 0) return { error: 'unable to communicate to compatible cells' };
    const starting = this.cells.reduce((sum, cell) => sum + cell.starting, 0);
    const maximum = this.options.startingContainerCountMaximum;
    if (maximum > 0 && starting >= maximum) {
      return { error: 'waiting to start instance: reached in-flight start limit' };
    }
    const refusing = this.options.strict ? [] : (auction.refusedBy ?? []);
    const willing = this.cells.filter(({ cell }) => !refusing.includes(cell.cellId));
    const unwilling = this.cells.filter(({ cell }) => refusing.includes(cell.cellId));
    for (const cells of [willing, unwilling]) {
      const winners = this.bestOf(cells, auction);
      if (winners.length > 0) return { winners };
    }
    return { error: this.error(auction) };
  }

  /** Reserve a placement; in strict mode without the proxy. */
  place(auction: Auction, cellId: string): void {
    const held = { ...auction, starting: true };
    this.cells.find(({ cell }) => cell.cellId === cellId)?.take(held, !this.options.strict);
  }

  compatible(auction: Auction): ReferenceCell[] {
    return this.cells.filter((cell) => cell.stage(auction) === 3);
  }

  isFitting(cell: ReferenceCell, auction: Auction): boolean {
    return this.problems(cell, auction).length === 0;
  }

  zoneInstances(zone: string, auction: LRPAuction): number {
    return this.cells
      .filter(({ cell }) => cell.zone === zone)
      .reduce((sum, cell) => sum + cell.instances(auction.processGuid), 0);
  }

  private bestOf(cells: ReferenceCell[], auction: Auction): string[] {
    const compatible = cells.filter((cell) => cell.stage(auction) === 3);
    const countOf = ({ cell }: ReferenceCell) =>
      'taskGuid' in auction ? 0 : this.zoneInstances(cell.zone, auction);
    const counts = [...new Set(compatible.map(countOf))].toSorted((a, b) => a - b);
    for (const count of counts) {
      const scored = compatible
        .filter((cell) => countOf(cell) === count && this.isFitting(cell, auction))
        .map((cell) => ({ cellId: cell.cell.cellId, score: this.score(cell, auction) }))
        .filter(({ score }) => score < 1e20);
      const lowest = Math.min(...scored.map(({ score }) => score));
      // The engine's scores are rounded to billionths, four roundings each: closer than this is a tie.
      const winners = scored.filter(({ score }) => score <= lowest + 5e-9);
      if (winners.length > 0) return winners.map(({ cellId }) => cellId);
    }
    return [];
  }

  private problems(cell: ReferenceCell, auction: Auction): string[] {
    const { capacity, proxyMemoryMb = 0 } = cell.cell;
    const memoryMb = auction.memoryMb + ('taskGuid' in auction ? 0 : proxyMemoryMb);
    const none = this.options.strict ? -1 : 0;
    const problems = [];
    if (cell.availableContainers < 1) problems.push('containers');
    if (auction.diskMb > cell.availableDiskMb || capacity.diskMb <= none) problems.push('disk');
    if (memoryMb > cell.availableMemoryMb || capacity.memoryMb <= none) problems.push('memory');
    return problems;
  }

  private score(reference: ReferenceCell, auction: Auction): number {
    const { capacity, proxyMemoryMb = 0 } = reference.cell;
    const isTask = 'taskGuid' in auction;
    const proxy = isTask ? 0 : proxyMemoryMb;
    const memory = 1 - (reference.availableMemoryMb - auction.memoryMb - proxy) / capacity.memoryMb;
    const disk = 1 - (reference.availableDiskMb - auction.diskMb) / capacity.diskMb;
    const containers = 1 - (reference.availableContainers - 1) / capacity.containers;
    const alike = isTask ? reference.tasks : reference.instances(auction.processGuid);
    return (
      (memory + disk + containers) / 3 +
      reference.starting * this.options.startingContainerWeight +
      alike * 1000 +
      (isTask ? 0 : reference.normalisedIndex * this.options.binPackFirstFitWeight)
    );
  }

  private error(auction: Auction): string {
    const stage = Math.max(...this.cells.map((cell) => cell.stage(auction)));
    if (stage === 0) return 'found no compatible cell for required rootfs';
    if (stage === 1) return 'found no compatible cell with required volume drivers';
    if (stage === 2) {
      const tags = (auction.placementTags ?? []).map((tag) => `"${tag}"`);
      if (tags.length === 0) return 'found no compatible cell with no placement tags';
      if (tags.length === 1) return `found no compatible cell with placement tag ${tags[0]}`;
      return `found no compatible cell with placement tags ${tags.slice(0, -1).join(', ')} and ${tags.at(-1)}`;
    }
    let everywhere = ['containers', 'disk', 'memory'];
    for (const cell of this.compatible(auction)) {
      const problems = this.problems(cell, auction);
      if (problems.length > 0) everywhere = everywhere.filter((problem) => problems.includes(problem));
    }
    if (everywhere.length === 0) return 'insufficient resources';
    return `insufficient resources: ${everywhere.join(', ')}`;
  }
}

export class ReferenceCell {
  availableMemoryMb: number;
  availableDiskMb: number;
  availableContainers: number;
  starting = 0;
  tasks = 0;
  normalisedIndex = 0;
  private readonly lrps: string[] = [];

  constructor(readonly cell: AuctionCell) {
    this.availableMemoryMb = cell.capacity.memoryMb;
    this.availableDiskMb = cell.capacity.diskMb;
    this.availableContainers = cell.capacity.containers;
  }

  instances(processGuid: string): number {
    return this.lrps.filter((guid) => guid === processGuid).length;
  }

  take(held: HeldWork, withProxy: boolean): void {
    this.availableMemoryMb -= held.memoryMb;
    this.availableDiskMb -= held.diskMb;
    this.availableContainers -= 1;
    if (held.starting) this.starting += 1;
    if (held.processGuid === undefined) {
      this.tasks += 1;
    } else {
      this.lrps.push(held.processGuid);
      if (withProxy) this.availableMemoryMb -= this.cell.proxyMemoryMb ?? 0;
    }
  }

  /** How many of rootfs, drivers and tags the work passes, in this order: 3 = all. */
  stage(auction: Auction): 0 | 1 | 2 | 3 {
    const { rootfsProviders, volumeDrivers = [], placementTags = [], optionalPlacementTags = [] } = this.cell;
    const [scheme, stack = ''] = auction.rootfs.split(':');
    const provider = rootfsProviders.find((offer) => offer.scheme === scheme);
    if (provider === undefined || (provider.stacks && !provider.stacks.includes(stack))) return 0;
    const drivers = new Set(volumeDrivers);
    if ((auction.volumeDrivers ?? []).some((driver) => !drivers.has(driver))) return 1;
    const requested = new Set(auction.placementTags);
    const allowed = new Set([...placementTags, ...optionalPlacementTags]);
    if (placementTags.some((tag) => !requested.has(tag))) return 2;
    return [...requested].some((tag) => !allowed.has(tag)) ? 2 : 3;
  }
}

const bigFirst = (a: Auction, b: Auction) => b.memoryMb - a.memoryMb;

/** The order of work, written as the three groups it consists of. */
export function referenceOrder({ lrps, tasks }: AuctionBatch, strict: boolean): Auction[] {
  const at = (index: number) => lrps.filter((lrp) => lrp.index === index).toSorted(bigFirst);
  const indices = [...new Set(lrps.map(({ index }) => index))].toSorted((a, b) => a - b);
  const first = at(0);
  const further = indices.filter((index) => index > 0).flatMap(at);
  const sortedTasks = tasks.toSorted(bigFirst);
  if (strict && further.length === 0) return [...sortedTasks, ...first];
  return [...first, ...sortedTasks, ...further];
}
