import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A language model behind the OpenAI protocol that always says the same, in pieces. */
export interface ChatUpstream {
  readonly url: string;
  /** Bodies of the requests it got. */
  readonly requests: Record<string, unknown>[];
  /** Answers that nobody waited for to the end. */
  abandoned(): number;
  /** Whether it refuses every request. */
  refuses: boolean;
  close(): Promise<void>;
}

/** A question with this word is answered without end. */
export const ENDLESS = 'endless';

/** A question with this word is answered up to the limit of tokens. */
export const ABRIDGED = 'abridged';

/** Who has this in his question gets an answer in the middle of which the connection breaks, after its usage was told. */
export const BROKEN = 'broken';

/** How the instructions begin by which a passage is written for a search, and what it says to them. */
const HYDE = 'Write the passage';
const PASSAGE = JSON.stringify({ passage: 'The notice period is so long.' });

const PAUSE_MS = 10;
const usage = { prompt_tokens: 120, completion_tokens: 9 };

export async function startChatUpstream(pieces: readonly string[]): Promise<ChatUpstream> {
  const requests: Record<string, unknown>[] = [];
  let abandoned = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body: Buffer[] = [];
    for await (const piece of request) body.push(piece as Buffer);
    requests.push(JSON.parse(Buffer.concat(body).toString()) as Record<string, unknown>);
    if (upstream.refuses) return void response.writeHead(400).end();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const send = (choices: unknown[], more = {}): void =>
      void response.write(`data: ${JSON.stringify({ choices, ...more })}\n\n`);
    if (JSON.stringify(requests.at(-1)).includes(ENDLESS)) {
      const ticking = setInterval(
        () => send([{ index: 0, delta: { content: 'and ' }, finish_reason: null }]),
        PAUSE_MS,
      );
      response.once('close', () => {
        clearInterval(ticking);
        abandoned += 1;
      });
      return;
    }
    const isBroken = JSON.stringify(requests.at(-1)).includes(BROKEN);
    const isAbridged = JSON.stringify(requests.at(-1)).includes(ABRIDGED);
    const said = JSON.stringify(requests.at(-1)).includes(HYDE) ? [PASSAGE] : pieces;
    for (const content of said) send([{ index: 0, delta: { content }, finish_reason: null }]);
    if (!isBroken) send([{ index: 0, delta: {}, finish_reason: isAbridged ? 'length' : 'stop' }]);
    send([], { usage });
    if (isBroken) return void setTimeout(() => response.destroy(), PAUSE_MS);
    response.end('data: [DONE]\n\n');
  };
  const server = createServer((request, response) => void answer(request, response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const upstream: ChatUpstream = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    refuses: false,
    abandoned: () => abandoned,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return upstream;
}
