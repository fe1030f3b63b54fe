import type { RiveraClient } from '#rivera/client';
import type { CellWork } from '#rivera/models';

/** With the default interval some ten minutes. */
const UNCHANGED_AT_MOST = 20;

/**
 * What the store says of this cell. It is asked every time and answers whether it is still what it was; it sends the list
 * itself only when that has changed. And every now and then all the same: a store that has lost its last writes in a
 * failover may count up to the same tag a second time.
 */
export class WorkList {
  private last: { tag: string; work: CellWork } | undefined;
  private unchanged = 0;

  constructor(
    private readonly client: Pick<RiveraClient, 'getCellWorkUnless'>,
    private readonly cellId: string,
  ) {}

  async read(): Promise<CellWork> {
    const last = this.unchanged < UNCHANGED_AT_MOST ? this.last : undefined;
    const { tag, work } = await this.client.getCellWorkUnless(this.cellId, last?.tag);
    if (work === undefined) {
      if (last === undefined)
        throw new TypeError('The answer is that nothing has changed since an answer that there was not.');
      this.unchanged += 1;
      return last.work;
    }
    this.unchanged = 0;
    this.last = tag === undefined ? undefined : { tag, work };
    return work;
  }
}
