import type { Turn } from './turn.js';

/** How many earlier messages a model sees. */
export const HISTORY_MESSAGES = 6;
/** Most text of earlier messages in one prompt, in UTF-16 units. */
export const MAX_HISTORY_CHARACTERS = 12_000;

/**
 * The last messages that fit into one prompt, oldest first. The newest one is always there, if need be without its end; from the
 * first that does not fit on, older ones are left out whole.
 */
export function latest(history: readonly Turn[]): readonly Turn[] {
  const recent = history.slice(-HISTORY_MESSAGES).toReversed();
  const [newest] = recent;
  if (newest && newest.text.length > MAX_HISTORY_CHARACTERS) return [cut(newest, MAX_HISTORY_CHARACTERS)];
  let room = MAX_HISTORY_CHARACTERS;
  const end = recent.findIndex(({ text }) => (room -= text.length) < 0);
  return (end === -1 ? recent : recent.slice(0, end)).toReversed();
}

/**
 * The last of them as a dialogue: it begins with the user, ends with the assistant, and no two neighbours have one role, because
 * chat templates (Mistral's, Gemma's) refuse any other order. Neighbours of one role are joined; what then has no counterpart is left
 * out. The newest question and answer are always there, if need be without their ends; from the first pair that does not fit on, older
 * ones are left out whole.
 */
export function latestDialogue(history: readonly Turn[]): readonly Turn[] {
  const pairs = pairsOf(history.slice(-HISTORY_MESSAGES)).toReversed();
  let room = MAX_HISTORY_CHARACTERS;
  const end = pairs.findIndex(([question, answer]) => (room -= question.text.length + answer.text.length) < 0);
  if (end === 0) return shortened(pairs[0]!);
  return (end === -1 ? pairs : pairs.slice(0, end)).toReversed().flat();
}

type Pair = readonly [question: Turn, answer: Turn];

function pairsOf(turns: readonly Turn[]): Pair[] {
  const joined: Turn[] = [];
  for (const { role, text } of turns) {
    const last = joined.at(-1);
    if (last?.role === role) joined[joined.length - 1] = { role, text: `${last.text}\n\n${text}` };
    else if (last || role === 'user') joined.push({ role, text });
  }
  return joined.flatMap((turn, at): Pair[] => (at % 2 === 1 ? [[joined[at - 1]!, turn]] : []));
}

/** The question has up to half of the room, so that something of the answer is left, too. */
function shortened([question, answer]: Pair): Turn[] {
  const asked = cut(question, Math.max(MAX_HISTORY_CHARACTERS / 2, MAX_HISTORY_CHARACTERS - answer.text.length));
  return [asked, cut(answer, MAX_HISTORY_CHARACTERS - asked.text.length)];
}

const cut = ({ role, text }: Turn, length: number): Turn => ({ role, text: text.slice(0, length).toWellFormed() });
