/** Answers that tell of something made are short. */
const MAX_LENGTH = 262_144;
const MAX_ID = 400;

interface Answer {
  readonly id?: unknown;
  readonly documents?: unknown;
  readonly ids?: unknown;
}

/** The ids an answer gives to what was made; nothing else of it is looked at. */
export function madeIds(payload: unknown): string[] {
  if (typeof payload !== 'string' || payload.length > MAX_LENGTH || !payload.startsWith('{')) return [];
  const { id, documents, ids } = JSON.parse(payload) as Answer;
  const listed = Array.isArray(documents) ? documents.map((one: Answer | null) => one?.id) : [];
  const named: unknown[] = Array.isArray(ids) ? ids : [];
  return [id, ...listed, ...named].filter((one) => typeof one === 'string' && one.length <= MAX_ID) as string[];
}
