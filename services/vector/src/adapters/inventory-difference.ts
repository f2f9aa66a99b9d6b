import type { DocumentKey } from './document-index.repository.js';
import type { VersionInventory } from './vector-store.js';

/** A document's name among others. */
export const documentName = ({ tenant, documentId }: DocumentKey): string => JSON.stringify([tenant, documentId]);

const versionName = ({ tenant, collection, documentId, version, generation }: VersionInventory): string =>
  JSON.stringify([tenant, collection, documentId, version, generation]);

/**
 * The names of the documents of which a store does not hold what the rows say, version by version: by number, visibility and
 * hash of the points, where it knows the hash.
 */
export function differingDocuments(
  rows: readonly VersionInventory[],
  held: readonly VersionInventory[],
): ReadonlySet<string> {
  const expected = new Map(rows.map((version) => [versionName(version), version]));
  const differing = new Set<string>();
  for (const version of held) {
    const name = versionName(version);
    const row = expected.get(name);
    if (!row || !isSame(row, version)) differing.add(documentName(version));
    expected.delete(name);
  }
  for (const missing of expected.values()) differing.add(documentName(missing));
  return differing;
}

const isSame = (row: VersionInventory, held: VersionInventory): boolean =>
  row.points === held.points && row.visible === held.visible && (held.hash === undefined || held.hash === row.hash);
