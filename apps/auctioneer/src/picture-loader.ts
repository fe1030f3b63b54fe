import type { RecordKind, Records } from '#rivera/lifecycle';
import { CELLS_SHARD, type Store, WORK_SHARD_IDS } from '#rivera/store';
import type { CellPicture } from './cell-picture.js';
import type { WorkRecord } from './work-reader.js';

const PAGE = 2_000;
/** While the records of one shard are taken in, those of others are on their way. */
const SHARDS_AT_ONCE = 4;

/** Reads cells and all that they hold into a picture, page by page: nothing of a page is kept but the picture. */
export class PictureLoader {
  constructor(private readonly store: Store) {}

  /** `onPlaced` is told of work that was given to a cell which has not taken it yet. */
  async load(picture: CellPicture, now: number, onPlaced: (work: WorkRecord) => void): Promise<void> {
    await this.eachOf(CELLS_SHARD, 'cell', (cell) => picture.applyCell(cell.cellId, cell, now));
    const shards = [...WORK_SHARD_IDS];
    const worker = async (): Promise<void> => {
      for (let shard = shards.shift(); shard !== undefined; shard = shards.shift()) {
        await this.loadShard(shard, picture, onPlaced);
      }
    };
    await Promise.all(Array.from({ length: SHARDS_AT_ONCE }, worker));
  }

  private async loadShard(
    shard: number,
    picture: CellPicture,
    onPlaced: (work: WorkRecord) => void,
  ): Promise<void> {
    await this.eachOf(shard, 'actual', (record) => {
      picture.applyActual(record);
      if (record.placement !== undefined) onPlaced({ kind: 'actual', record });
    });
    await this.eachOf(shard, 'task', (record) => {
      picture.applyTask(record);
      if (record.placement !== undefined) onPlaced({ kind: 'task', record });
    });
  }

  private async eachOf<K extends RecordKind>(
    shard: number,
    kind: K,
    apply: (record: Records[K]) => void,
  ): Promise<void> {
    let after: string | undefined;
    do {
      const ids = await this.store.ids(shard, kind, { after, limit: PAGE });
      for (const { record } of await this.store.getStored(shard, kind, ids)) apply(record);
      after = ids.length === PAGE ? ids.at(-1) : undefined;
    } while (after !== undefined);
  }
}
