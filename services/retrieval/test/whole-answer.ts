import type { generationV1, retrievalV1 } from '@ragmesh/contracts';

/** Everything of one streamed answer. */
export interface Answer {
  readonly order: string[];
  readonly results: retrievalV1.Result[];
  readonly text: string;
  readonly citations: generationV1.Citation[];
  readonly done: retrievalV1.Answered;
}

/** @param order gets the name of each event as it comes. */
export async function wholeAnswer(events: AsyncIterable<retrievalV1.QueryResponse>, order: string[]): Promise<Answer> {
  const citations: generationV1.Citation[] = [];
  let results: retrievalV1.Result[] = [];
  let text = '';
  let done: retrievalV1.Answered | undefined;
  for await (const { event } of events) {
    order.push(event.case!);
    if (event.case === 'sources') results = event.value.results;
    if (event.case === 'delta') text += event.value;
    if (event.case === 'citation') citations.push(event.value);
    if (event.case === 'done') done = event.value;
  }
  return { order, results, text, citations, done: done! };
}
