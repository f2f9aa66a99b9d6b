/** How a new generation compared with the one readers saw; shares from 0 to 1. */
export interface Quality {
  /** Asked, each made from a document. */
  readonly questions: number;
  /** Documents among the best of the one readers saw that are among the new one's, too. */
  readonly overlap: number;
  /** Questions that found their own document, in the new generation and in the one readers saw. */
  readonly selfRetrieval: number;
  readonly liveSelfRetrieval: number;
}

export interface QualityFloors {
  readonly overlap: number;
  readonly selfRetrieval: number;
}

/** Why a generation must not be shown; undefined when it may. What readers see now need not reach a floor either. */
export function shortfallOf(quality: Quality, floors: QualityFloors): string | undefined {
  const { questions, overlap, selfRetrieval, liveSelfRetrieval } = quality;
  const needed = Math.min(floors.selfRetrieval, liveSelfRetrieval);
  const misses = [
    ...(overlap < floors.overlap ? [`overlap ${percent(overlap)} instead of ${percent(floors.overlap)}`] : []),
    ...(selfRetrieval < needed ? [`self-retrieval ${percent(selfRetrieval)} instead of ${percent(needed)}`] : []),
  ];
  if (misses.length === 0) return undefined;
  return `Over ${questions} questions the new generation has ${misses.join(' and ')}; readers keep what they see.`;
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;

const MAX_UNITS = 200;

/** A question made from a document: its title when that says something, else its first sentence. */
export function questionFrom(title: string, text: string): string {
  if (title.trim().split(/\s+/).length >= 3) return title.trim().slice(0, MAX_UNITS);
  const begin = text.trimStart().slice(0, MAX_UNITS * 2);
  const sentence = /^.{20,}?[.!?。](?=\s|$)/su.exec(begin)?.[0] ?? begin;
  return sentence.replaceAll(/\s+/g, ' ').slice(0, MAX_UNITS).toWellFormed();
}
