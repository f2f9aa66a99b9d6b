/** The documents each generation found for one question, best first, without repetition. */
export interface ComparedQuestion {
  readonly documentId: string;
  readonly live: readonly string[];
  readonly other: readonly string[];
}

/** Shares from 0 to 1; all 1 when nothing was asked. */
export interface Comparison {
  readonly overlap: number;
  readonly liveSelfRetrieval: number;
  readonly selfRetrieval: number;
}

/**
 * How well a generation stands in for the live one. Documents are compared, not chunks, as another way of cutting makes
 * other chunks. Overlap is the mean share of the live one's documents the other finds too; questions for which the live
 * one finds nothing do not count. Self-retrieval is the share of questions that find the document they were made from.
 */
export function compareGenerations(questions: readonly ComparedQuestion[]): Comparison {
  const answered = questions.filter(({ live }) => live.length > 0);
  const overlaps = answered.map(({ live, other }) => {
    const found = new Set(other);
    return live.filter((id) => found.has(id)).length / live.length;
  });
  return {
    overlap: mean(overlaps),
    liveSelfRetrieval: mean(questions.map(({ documentId, live }) => Number(live.includes(documentId)))),
    selfRetrieval: mean(questions.map(({ documentId, other }) => Number(other.includes(documentId)))),
  };
}

const mean = (shares: readonly number[]): number =>
  shares.length === 0 ? 1 : shares.reduce((sum, share) => sum + share, 0) / shares.length;
