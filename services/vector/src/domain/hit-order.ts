/** Best first; equal scores by point id, so that every store gives them in the same order. */
export const compareHits = (
  a: { readonly score: number; readonly pointId: string },
  b: { readonly score: number; readonly pointId: string },
): number => b.score - a.score || (a.pointId < b.pointId ? -1 : 1);
