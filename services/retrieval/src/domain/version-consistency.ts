import type { ScoredPoint } from './scored-point.js';

/**
 * Keeps one version of each document: the highest among the points. While an update flips, the old and the new version
 * are visible together for an instant; an answer must not mix them. The order of the points stays.
 */
export function keepOneVersion<P extends Pick<ScoredPoint, 'documentId' | 'version'>>(points: readonly P[]): P[] {
  const newest = newestVersions(points);
  return points.filter(({ documentId, version }) => newest.get(documentId) === version);
}

/** The same for both legs together: a version that only one leg saw already hides its predecessor in the other. */
export function keepOneVersionAcross<P extends Pick<ScoredPoint, 'documentId' | 'version'>>(
  legs: readonly (readonly P[])[],
): P[][] {
  const newest = newestVersions(legs.flat());
  return legs.map((points) => points.filter(({ documentId, version }) => newest.get(documentId) === version));
}

function newestVersions(points: readonly Pick<ScoredPoint, 'documentId' | 'version'>[]): Map<string, number> {
  const newest = new Map<string, number>();
  for (const { documentId, version } of points) {
    newest.set(documentId, Math.max(version, newest.get(documentId) ?? version));
  }
  return newest;
}
