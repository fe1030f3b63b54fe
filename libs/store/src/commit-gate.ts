/**
 * Commits that come while others are under way wait and then go together, so that Redis flushes its disk once for all of
 * them. Whoever comes alone does not wait. When the store does not answer those who are under way, those who wait are told
 * the same.
 */
export class CommitGate {
  private underWay = 0;
  private isOpen = true;
  private waiting: { enter: () => void; giveUp: (reason: unknown) => void }[] = [];

  async pass<T>(commit: () => Promise<T>): Promise<T> {
    if (!this.isOpen) {
      await new Promise<void>((enter, giveUp) => this.waiting.push({ enter, giveUp }));
    }
    // What is sent until then travels together.
    if (this.underWay === 0) setImmediate(() => (this.isOpen = this.underWay === 0));
    this.underWay += 1;
    try {
      return await commit();
    } catch (error) {
      for (const { giveUp } of this.waiting.splice(0)) giveUp(error);
      throw error;
    } finally {
      this.underWay -= 1;
      if (this.underWay === 0) {
        this.isOpen = true;
        for (const { enter } of this.waiting.splice(0)) enter();
      }
    }
  }
}
