import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A language model behind the OpenAI protocol. */
export interface StubModel {
  readonly url: string;
  close(): Promise<void>;
}

const choice = (delta: object, finish_reason: string | null): object => ({
  choices: [{ index: 0, delta, finish_reason }],
});
const ANSWER = [
  choice({ content: 'They nest on Bass Rock [1].' }, null),
  choice({}, 'stop'),
  { choices: [], usage: { prompt_tokens: 120, completion_tokens: 9 } },
];

/** Starts one that says the same to everybody, so that an answer has turns and usage without a provider. */
export async function startStubModel(): Promise<StubModel> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(
        [...ANSWER.map((event) => JSON.stringify(event)), '[DONE]'].map((data) => `data: ${data}\n\n`).join(''),
      );
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
