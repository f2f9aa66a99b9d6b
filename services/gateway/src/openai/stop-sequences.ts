import { create } from '@bufbuild/protobuf';
import { retrievalV1, type generationV1 } from '@ragmesh/contracts';

type Reply = retrievalV1.QueryResponse;

const reply = (event: Reply['event']): Reply => create(retrievalV1.QueryResponseSchema, { event });

/**
 * An answer up to the first of these sequences, without it. It is read to its end all the same, which tells what it took.
 * Citations come before the end, those whose marker is still in the text. Without sequences the answer itself.
 */
export const endingAt = (answer: AsyncIterable<Reply>, stops: readonly string[]): AsyncIterable<Reply> =>
  stops.length === 0 ? answer : cut(answer, stops);

async function* cut(answer: AsyncIterable<Reply>, stops: readonly string[]): AsyncGenerator<Reply> {
  const citations: generationV1.Citation[] = [];
  let shown = '';
  let held = '';
  let isOver = false;
  for await (const { event } of answer) {
    if (event.case === 'citation') citations.push(event.value);
    else if (event.case === 'delta') {
      if (isOver) continue;
      held += event.value;
      const end = firstOf(stops, held);
      isOver = end >= 0;
      const text = held.slice(0, isOver ? end : held.length - possibleBeginning(stops, held));
      held = held.slice(text.length);
      shown += text;
      if (text !== '') yield reply({ case: 'delta', value: text });
    } else if (event.case === 'done') {
      if (!isOver && held !== '') yield reply({ case: 'delta', value: held });
      const whole = isOver ? shown : shown + held;
      for (const citation of citations)
        if (whole.includes(`[${citation.index}]`)) yield reply({ case: 'citation', value: citation });
      yield reply({ case: 'done', value: isOver ? { ...event.value, incomplete: false } : event.value });
    } else yield reply(event);
  }
}

/** Where the first sequence in the text begins; -1 when there is none. */
function firstOf(stops: readonly string[], text: string): number {
  const places = stops.map((stop) => text.indexOf(stop)).filter((place) => place >= 0);
  return places.length === 0 ? -1 : Math.min(...places);
}

/** Length of the longest end of the text with which a sequence may begin. */
function possibleBeginning(stops: readonly string[], text: string): number {
  const longest = Math.min(text.length, Math.max(...stops.map(({ length }) => length)) - 1);
  for (let length = longest; length > 0; length -= 1)
    if (stops.some((stop) => stop.length > length && text.endsWith(stop.slice(0, length)))) return length;
  return 0;
}
