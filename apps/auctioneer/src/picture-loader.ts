import type { ActualLRP, Task } from '#rivera/models';
import {
  CellRepository,
  type Page,
  type PageRequest,
  ProcessRepository,
  TaskRepository,
} from '#rivera/store';
import type { CellPicture } from './cell-picture.js';
import type { WorkRecord } from './work-reader.js';

const PAGE = 2_000;

/** Reads cells and all that they hold into a picture, page by page: nothing of a page is kept but the picture. */
export class PictureLoader {
  constructor(
    private readonly cells: CellRepository,
    private readonly processes: ProcessRepository,
    private readonly tasks: TaskRepository,
  ) {}

  /** `onPlaced` is told of work that was given to a cell which has not taken it yet. */
  async load(picture: CellPicture, now: number, onPlaced: (work: WorkRecord) => void): Promise<void> {
    await eachOf(
      (request) => this.cells.page(request),
      (cell) => picture.applyCell(cell.cellId, cell, now),
    );
    await eachOf(
      (request) => this.processes.actualPage(request),
      (record: ActualLRP) => {
        picture.applyActual(record);
        if (record.placement !== undefined) onPlaced({ kind: 'actual', record });
      },
    );
    await eachOf(
      (request) => this.tasks.page(request),
      (record: Task) => {
        picture.applyTask(record);
        if (record.placement !== undefined) onPlaced({ kind: 'task', record });
      },
    );
  }
}

async function eachOf<T>(
  read: (request: PageRequest) => Promise<Page<T>>,
  apply: (item: T) => void,
): Promise<void> {
  let after: string | undefined;
  do {
    const page = await read({ after, limit: PAGE });
    for (const item of page.items) apply(item);
    after = page.next;
  } while (after !== undefined);
}
