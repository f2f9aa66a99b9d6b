import { PointReader, type PointRow } from './point-row.js';
import type { StoreBatch } from './point.repository.js';

/** Rows of one version as a store takes them in. */
export interface StoredBatch extends StoreBatch {
  /** Whether readers see the version. */
  readonly visible: boolean;
}

const keyOf = ({ tenant, collection, documentId, version, generation, model, vector }: PointRow): string =>
  JSON.stringify([tenant, collection, documentId, version, generation, model, vector.byteLength]);

/** Makes batches of rows again, one for each version, generation and model. */
export function batchesOf(rows: readonly PointRow[]): StoredBatch[] {
  const reader = new PointReader();
  return [...Map.groupBy(rows, keyOf).values()].map((group) => {
    const { tenant, collection, documentId, version, generation, model, vector, visibleVersion, access } = group[0]!;
    return {
      ...{ tenant, collection, documentId, version, generation, model, access },
      dimension: vector.byteLength / Float32Array.BYTES_PER_ELEMENT,
      points: group.map((row) => reader.read(row)),
      visible: version === visibleVersion,
    };
  });
}
