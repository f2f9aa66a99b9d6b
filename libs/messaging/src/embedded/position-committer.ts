import type { Claim, GroupStore } from './group-store.js';

/** Stores positions, one statement at a time: what is committed while one is under way shares the next. */
export class PositionCommitter {
  private pending = new Map<number, Claim>();
  private flushing: Promise<void> | undefined;

  constructor(
    private readonly store: GroupStore,
    private readonly group: string,
  ) {}

  /** Resolves once these positions, or later ones of the same partitions, are stored or were refused. */
  async commit(positions: readonly Claim[]): Promise<void> {
    for (const position of positions) this.pending.set(position.partitionId, position);
    await this.flush();
  }

  async flush(): Promise<void> {
    const underWay = this.flushing;
    if (underWay) await underWay.catch(() => undefined); // its caller is told, and this write has its positions too
    this.flushing ??= this.write().finally(() => (this.flushing = undefined));
    await this.flushing;
  }

  private async write(): Promise<void> {
    const positions = [...this.pending.values()];
    this.pending = new Map();
    try {
      for (const [member, own] of Map.groupBy(positions, (position) => position.member)) {
        await this.store.commit(this.group, member, own);
      }
    } catch (error) {
      // The next write has them too: an idle partition would otherwise show a lag for ever.
      for (const position of positions)
        if (!this.pending.has(position.partitionId)) this.pending.set(position.partitionId, position);
      throw error;
    }
  }
}
