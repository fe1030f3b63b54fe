import type { RiveraClient } from '#rivera/client';
import type { CellWork } from '#rivera/models';

/**
 * What the store says of this cell. It is asked every time and answers whether it is still what it was, so what is returned
 * is true of that moment; it sends the list itself only when that has changed.
 */
export class WorkList {
  private last: { tag: string; work: CellWork } | undefined;

  constructor(
    private readonly client: Pick<RiveraClient, 'getCellWorkUnless'>,
    private readonly cellId: string,
  ) {}

  async read(): Promise<CellWork> {
    const { last } = this;
    const { tag, work } = await this.client.getCellWorkUnless(this.cellId, last?.tag);
    if (work === undefined) {
      if (last === undefined)
        throw new TypeError('The answer is that nothing has changed since an answer that there was not.');
      return last.work;
    }
    this.last = tag === undefined ? undefined : { tag, work };
    return work;
  }
}
