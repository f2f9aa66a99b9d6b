import { RagmeshError } from '@ragmesh/errors';

/** Longest event; what is longer is no chat protocol. UTF-16 units. */
const MAX_EVENT = 1024 * 1024;

/**
 * The `data` of each event of a stream (WHATWG HTML, "Server-sent events"), however the bytes are cut. Reads on only when
 * asked for the next one. An event the stream breaks off in is not given.
 * @throws RagmeshError GENERATION.UNAVAILABLE for an event without end; what reading the bytes throws.
 */
export async function* eventData(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  let data: string[] = [];
  for await (const bytes of body) {
    rest += decoder.decode(bytes, { stream: true });
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop()!;
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) yield data.join('\n');
        data = [];
      } else if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5));
    }
    const size = rest.length + data.reduce((sum, part) => sum + part.length, 0);
    if (size > MAX_EVENT) {
      const message = `The provider sent an event of more than ${MAX_EVENT} characters.`;
      throw new RagmeshError('GENERATION.UNAVAILABLE', message, { outcome: 'garbage' });
    }
  }
}
