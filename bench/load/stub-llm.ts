import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How the stub speaks. */
export interface Speech {
  readonly firstTokenMs: number;
  readonly tokensPerSecond: number;
  /** Tokens of every answer. */
  readonly tokens: number;
}

/** What the process tells its parent. */
export interface StubReady {
  readonly port: number;
}

const speech = JSON.parse(process.argv[2] ?? '{}') as Speech;
const usage = { prompt_tokens: 1000, completion_tokens: speech.tokens };
const head = { 'content-type': 'text/event-stream' };

/** One word a token, a citation in every tenth, a sentence in every twentieth. */
function wordOf(token: number): string {
  if (token % 20 === 19) return 'stands.\n';
  return token % 10 === 9 ? '[1] ' : 'word ';
}

const chunk = (content: string): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`;
const chunks = Array.from({ length: speech.tokens }, (_, token) => chunk(wordOf(token)));
const end =
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}\n\n` +
  `data: ${JSON.stringify({ choices: [], usage })}\n\ndata: [DONE]\n\n`;

function speak(response: ServerResponse): void {
  response.writeHead(200, head);
  response.flushHeaders();
  let token = 0;
  let ticking: NodeJS.Timeout | undefined;
  const next = (): void => {
    response.write(chunks[token]);
    token += 1;
    if (token < chunks.length) return;
    clearInterval(ticking);
    response.end(end);
  };
  const starting = setTimeout(() => {
    next();
    if (token < chunks.length) ticking = setInterval(next, 1000 / speech.tokensPerSecond);
  }, speech.firstTokenMs);
  response.once('close', () => {
    clearTimeout(starting);
    clearInterval(ticking);
  });
}

/** A language model behind the OpenAI protocol that knows nothing, at a fixed rate of tokens, in a process of its own. */
const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  request.resume();
  request.once('end', () => speak(response));
});
server.listen(0, '127.0.0.1', 4096, () => {
  process.send?.({ port: (server.address() as AddressInfo).port } satisfies StubReady);
});
process.once('disconnect', () => process.exit(0));
