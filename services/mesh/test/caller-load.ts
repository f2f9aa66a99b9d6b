import { setTimeout as delay } from 'node:timers/promises';
import type { ApiClient } from '../../standalone/test/api-client.js';

/** What all callers together met. */
export interface Met {
  readonly answered: number;
  /** A line for each request that did not go as its caller may expect. */
  readonly failures: readonly string[];
  /** Ids of the documents whose upload was answered with 202: a promise to make them ready. */
  readonly accepted: readonly string[];
}

/** Callers that do what callers do all day, one request after the other each. Gives what they met once they are told to end. */
export function startCallers(api: ApiClient, callers: number, pauseMs: number): { end(): Promise<Met> } {
  const failures: string[] = [];
  const accepted: string[] = [];
  let [isOver, answered] = [false, 0];
  const load = Array.from({ length: callers }, async (_, caller) => {
    for (let turn = caller; !isOver; turn += callers) {
      const failure = await oneRequest(api, turn, accepted).catch(
        (error: Error) => `${error.message} ${String(error.cause)}`,
      );
      if (failure) failures.push(failure);
      answered += 1;
      await delay(pauseMs);
    }
  });
  return {
    end: async () => {
      isOver = true;
      await Promise.all(load);
      return { answered, failures, accepted };
    },
  };
}

/** Adds to `accepted` what was. @returns what went wrong, if anything. */
async function oneRequest(api: ApiClient, turn: number, accepted: string[]): Promise<string | undefined> {
  const question = { query: `How long is notice period ${turn}?` };
  const kinds = [
    () => api.call('POST', '/v1/search', question),
    () => api.call('POST', '/v1/query', { ...question, stream: true }),
    () => api.call('GET', '/v1/documents'),
    () => api.call('GET', '/v1/models'),
    () => api.call('PUT', `/v1/documents/turn-${turn}`, { text: `Notice period ${turn} is ${turn} days.` }),
    () => api.call('POST', '/v1/query', question),
  ];
  const kind = turn % kinds.length;
  const { status, body } = await kinds[kind]!();
  const text = String(body['text'] ?? '');
  if (status >= 300) return `${kind}: ${status} ${JSON.stringify(body).slice(0, 300)}`;
  if (status === 202) accepted.push(`turn-${turn}`);
  if (kind === 1 && (text.includes('event: error') || !text.includes('event: done')))
    return `stream: ${text.slice(-300)}`;
  return undefined;
}
