import type { VersionInventory } from './vector-store.js';

/** A point as an inventory counts it. */
export interface CountedPoint extends Omit<VersionInventory, 'points' | 'visible' | 'hash'> {
  readonly visible: boolean;
  readonly hash: bigint;
}

/** Adds points up per document, version and generation. */
export class InventoryCount {
  private readonly counts = new Map<string, VersionInventory>();

  add({ tenant, collection, documentId, version, generation, visible, hash }: CountedPoint): void {
    const name = JSON.stringify([tenant, collection, documentId, version, generation]);
    const sum = this.counts.get(name);
    this.counts.set(name, {
      ...{ tenant, collection, documentId, version, generation },
      points: (sum?.points ?? 0) + 1,
      visible: (sum?.visible ?? 0) + (visible ? 1 : 0),
      hash: (sum?.hash ?? 0n) ^ hash,
    });
  }

  versions(): Iterable<VersionInventory> {
    return this.counts.values();
  }
}
