import type { generationV1, retrievalV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';

/** An answer with everything that came with it. */
export interface WholeAnswer {
  readonly text: string;
  readonly results: readonly retrievalV1.Result[];
  readonly citations: readonly generationV1.Citation[];
  readonly done: retrievalV1.Answered;
}

/** @throws RagmeshError of the services behind it, or when the answer ends before it is complete. */
export async function wholeAnswer(events: AsyncIterable<retrievalV1.QueryResponse>): Promise<WholeAnswer> {
  const text: string[] = [];
  const citations: generationV1.Citation[] = [];
  let results: readonly retrievalV1.Result[] = [];
  for await (const { event } of events) {
    if (event.case === 'sources') results = event.value.results;
    else if (event.case === 'delta') text.push(event.value);
    else if (event.case === 'citation') citations.push(event.value);
    else if (event.case === 'done') return { text: text.join(''), results, citations, done: event.value };
  }
  throw new RagmeshError('INTERNAL.UNEXPECTED', 'The answer ended before it was complete.');
}
