import type { Bucket } from './bucket.js';
import type { Foundation } from './foundation.js';
import { NO_APP } from './cell-table.js';
import type { CellTable } from './cell-table.js';
import { grown } from './grow.js';
import { ScoreTree } from './score-tree.js';
import type { Preference } from './score-tree.js';

/** Apps on fewer cells are looked up cell by cell: that is cheaper than keeping trees for them. */
const SMALLEST = 128;
/** Apps that have trees of their own at the same time. */
const LIMIT = 64;
/** An app gets trees once it has cost as many looks at its cells as building them does. */
const LOOKS_PER_CELL = 4;

/** An app on many cells, with trees that order cells by its own instances on them first. */
export class Gang {
  /** Instances by zone. */
  zoneInstances = new Int32Array(0);
  private version = -1;
  private trees = new Map<Bucket, ScoreTree>();
  private readonly preference: Preference;

  constructor(
    private readonly table: CellTable,
    private readonly foundation: Foundation,
    private readonly app: number,
    alikeWeight: number,
  ) {
    const alikeOn = (slot: number) => table.instances.instancesOn(app, slot);
    this.preference = { isTask: false, alikeWeight, alikeOn };
  }

  treeOf(bucket: Bucket): ScoreTree {
    let tree = this.trees.get(bucket);
    if (tree === undefined) {
      tree = new ScoreTree(this.table, bucket.order, bucket.lrps.room, this.preference);
      this.trees.set(bucket, tree);
    }
    return tree;
  }

  count(zone: number, step: 1 | -1): void {
    if (zone >= 0 && zone < this.zoneInstances.length) this.zoneInstances[zone]! += step;
  }

  /** Counts anew when cells have come, gone or moved. */
  refresh(): void {
    const { foundation } = this;
    const { version } = foundation.plain.topology;
    if (this.version === version) return;
    this.version = version;
    this.trees = new Map([...this.trees].filter(([bucket]) => bucket.size > 0));
    this.zoneInstances = foundation.zones.instancesOf(this.app);
  }
}

/** The gangs there are: apps that would be slow to place otherwise, those used last. */
export class Gangs {
  private readonly gangs = new Map<number, Gang>();
  /** Looks at cells for nothing, by app. */
  private looks = new Float64Array(64);

  constructor(
    private readonly table: CellTable,
    private readonly foundation: Foundation,
    private readonly alikeWeight: number,
  ) {}

  /** The app as a gang, if it is one by now. */
  find(app: number): Gang | undefined {
    if (app === NO_APP || this.table.instances.cellsOf(app) < SMALLEST) return undefined;
    let gang = this.gangs.get(app);
    if (gang === undefined) {
      if (!(this.looks[app]! > LOOKS_PER_CELL * this.foundation.cells)) return undefined;
      gang = new Gang(this.table, this.foundation, app, this.alikeWeight);
    }
    // Used last: at the end of the map.
    this.gangs.delete(app);
    this.gangs.set(app, gang);
    if (this.gangs.size > LIMIT) this.forget(this.gangs.keys().next().value!);
    gang.refresh();
    return gang;
  }

  addLooks(app: number, looks: number): void {
    if (app === NO_APP) return;
    if (app >= this.looks.length) this.looks = grown(this.looks, Math.max(app + 1, this.looks.length * 2));
    this.looks[app]! += looks;
  }

  /** An instance of the app was booked on a cell or taken off it. */
  count(app: number, slot: number, step: 1 | -1): void {
    if (app === NO_APP) return;
    this.gangs.get(app)?.count(this.table.zone[slot]!, step);
    if (step === -1 && this.table.instances.cellsOf(app) === 0) this.forget(app);
  }

  private forget(app: number): void {
    this.gangs.delete(app);
    if (app < this.looks.length) this.looks[app] = 0;
  }
}
