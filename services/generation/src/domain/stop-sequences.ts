import { textOf, type AnswerEvent } from './answer-stream.js';

/** Passes a text on up to the first of some sequences, without it, however the text is cut into pieces. */
export class StopSequences {
  #held = '';
  #isFound = false;

  constructor(private readonly sequences: readonly string[]) {}

  /** Whether one of them came: what follows is not passed on. */
  get isFound(): boolean {
    return this.#isFound;
  }

  /** What is passed on after this piece; an end with which a sequence may begin is held back. */
  push(piece: string): string {
    this.#held += piece;
    const end = firstOf(this.sequences, this.#held);
    this.#isFound = end >= 0;
    const text = this.#held.slice(0, this.#isFound ? end : this.#held.length - this.#possibleBeginning());
    this.#held = this.#held.slice(text.length);
    return text;
  }

  /** What was held back of a text that is over. */
  end(): string {
    return this.#isFound ? '' : this.#held;
  }

  /** Length of the longest end of what is held with which a sequence may begin. */
  #possibleBeginning(): number {
    const text = this.#held;
    const longest = Math.min(text.length, Math.max(0, ...this.sequences.map(({ length }) => length - 1)));
    for (let length = longest; length > 0; length -= 1)
      if (this.sequences.some((stop) => stop.length > length && text.endsWith(stop.slice(0, length)))) return length;
    return 0;
  }
}

/** An answer up to the first of these sequences, without it, with what is cited until there; the same one when none comes. */
export function upToStop(events: readonly AnswerEvent[], sequences: readonly string[]): readonly AnswerEvent[] {
  const end = firstOf(sequences, textOf(events));
  if (end < 0) return events;
  let left = end;
  let latest = ''; // what a citation is of, which comes right behind it
  return events.flatMap((event, at): AnswerEvent[] => {
    if (event.type === 'citation') return latest.includes(`[${event.citation.index}]`) ? [event] : [];
    const text = event.text.slice(0, left);
    left -= text.length;
    latest = events[at - 1]?.type === 'citation' ? text : latest + text;
    return text === '' ? [] : [{ type: 'delta', text }];
  });
}

/** Where the first sequence in the text begins; -1 when there is none. */
function firstOf(sequences: readonly string[], text: string): number {
  const places = sequences.map((stop) => text.indexOf(stop)).filter((place) => place >= 0);
  return places.length === 0 ? -1 : Math.min(...places);
}
