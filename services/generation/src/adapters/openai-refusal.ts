import type { RagmeshError } from '@ragmesh/errors';
import { retryAfterSeconds } from '@ragmesh/resilience';
import { z } from 'zod';
import type { ChatRequest } from '../domain/language-model.js';
import { chatFailure } from './chat-failure.js';

/** Most of a refusal that is read, in bytes. */
const MAX_REFUSAL = 65_536;

const refusal = z.object({
  error: z.object({ param: z.string().nullish(), message: z.string().nullish() }),
});

/** What a response that is no answer means. Closes it unread: its text may repeat the prompt, so it goes into no message. */
export function refusalOf(response: Response): RagmeshError {
  void response.body?.cancel().catch(() => undefined);
  const { status } = response;
  const seconds = retryAfterSeconds(response.headers.get('retry-after'), Date.now());
  const details = { status, ...(seconds === undefined ? {} : { retryAfter: seconds }) };
  if (status === 429) return chatFailure('rate_limited', 'The provider asks for fewer requests.', details);
  if (status >= 500 || status === 408) return chatFailure('server_error', `The provider failed (${status}).`, details);
  return chatFailure('refused', `The provider refused the request (${status}).`, { status });
}

/** Fields that some models do not take: the limit of tokens by its older name, a temperature other than their own, stop sequences. */
export type RefusedField = 'max_tokens' | 'temperature' | 'stop';

/** Which field a model refuses a request for, if it names one. Reads the response when it is a 400. */
export async function refusedField(response: Response): Promise<RefusedField | undefined> {
  if (response.status !== 400) return undefined;
  try {
    const { error } = refusal.parse(JSON.parse(await beginningOf(response)));
    if (error.param === 'temperature' || error.param === 'stop') return error.param;
    const isLimit = error.param === 'max_tokens' || (error.message ?? '').includes('max_completion_tokens');
    return isLimit ? 'max_tokens' : undefined;
  } catch {
    return undefined; // a refusal in other words is one for another reason
  }
}

/**
 * Whether a model that refused this request for a field refuses every one. Providers end their range of temperatures at 1 or at 2: only
 * a model that refuses one up to 1 takes none, and nobody else's wish is to be ignored for one beyond.
 */
export function isLasting(field: RefusedField, { temperature }: ChatRequest): boolean {
  return field !== 'temperature' || (temperature !== undefined && temperature <= 1);
}

async function beginningOf({ body }: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of body ?? []) {
    pieces.push(piece as Uint8Array);
    size += (piece as Uint8Array).byteLength;
    if (size > MAX_REFUSAL) break;
  }
  return Buffer.concat(pieces).toString('utf8');
}
