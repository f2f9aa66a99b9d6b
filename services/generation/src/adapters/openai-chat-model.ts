import { asRagmeshError, isRagmeshError, type RagmeshError } from '@ragmesh/errors';
import { z } from 'zod';
import type { ChatPiece, ChatRequest, ChatTimeLimits, EndReason, LanguageModel } from '../domain/language-model.js';
import { CallTimer } from './call-timer.js';
import { chatFailure } from './chat-failure.js';
import { namesTokenLimit, refusalOf } from './openai-refusal.js';
import { eventData } from './server-sent-events.js';

export interface OpenAiEndpoint {
  readonly provider: string;
  /** Up to and including the version, `https://api.openai.com/v1` say. */
  readonly baseUrl: string;
  readonly apiKey?: string | undefined;
}

const usage = z.object({ prompt_tokens: z.number().nonnegative(), completion_tokens: z.number().nonnegative() });
const chunk = z.object({
  choices: z
    .array(
      z.object({
        delta: z.object({ content: z.string().nullish() }).optional(),
        finish_reason: z.string().nullish(),
      }),
    )
    .default([]),
  usage: usage.nullish(),
  error: z.unknown().optional(),
});
type Chunk = z.infer<typeof chunk>;

/** What the longest answer is called: every server knows the first, OpenAI's reasoning models take the second only. */
type TokenLimit = 'max_tokens' | 'max_completion_tokens';

/** A chat model behind the OpenAI protocol, wherever it runs. */
export class OpenAiChatModel implements LanguageModel {
  readonly provider: string;
  #limit: TokenLimit = 'max_tokens';

  constructor(
    private readonly endpoint: OpenAiEndpoint,
    readonly name: string,
  ) {
    this.provider = endpoint.provider;
  }

  async *chat(request: ChatRequest, limits: ChatTimeLimits, signal: AbortSignal): AsyncGenerator<ChatPiece> {
    const timer = new CallTimer(limits, signal);
    try {
      const response = await this.#open(request, timer.signal);
      yield* this.#read(response, timer);
    } catch (error) {
      throw timer.reason ?? asChatFailure(error);
    } finally {
      timer.stop(); // whatever the reason, the provider stops writing
    }
  }

  /** A model that wants its limit of tokens under the newer name is asked again, once, and remembered as one. */
  async #open(request: ChatRequest, signal: AbortSignal): Promise<Response> {
    let response = await this.#post(request, this.#limit, signal);
    if (this.#limit === 'max_tokens' && (await namesTokenLimit(response))) {
      response = await this.#post(request, 'max_completion_tokens', signal);
      if (response.ok) this.#limit = 'max_completion_tokens';
    }
    if (!response.ok) throw refusalOf(response);
    if (!response.body || !/^text\/event-stream\b/i.test(response.headers.get('content-type') ?? '')) {
      throw chatFailure('garbage', 'The provider did not answer with a stream of events.');
    }
    return response;
  }

  #post(request: ChatRequest, limit: TokenLimit, signal: AbortSignal): Promise<Response> {
    const { baseUrl, apiKey } = this.endpoint;
    return fetch(`${baseUrl.replace(/\/+$/, '')}/chat/completions`, {
      method: 'POST',
      redirect: 'error', // the key is for this host only
      signal,
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}),
      },
      body: JSON.stringify(bodyOf(this.name, request, limit)),
    });
  }

  /** The usage follows the end in a chunk of its own, so the end is told when the stream says `[DONE]`. */
  async *#read(response: Response, timer: CallTimer): AsyncGenerator<ChatPiece> {
    let reason: EndReason | undefined;
    let tokens: z.infer<typeof usage> | undefined;
    for await (const data of eventData(response.body!)) {
      if (data === '[DONE]') {
        reason ??= 'stop'; // some servers name no reason
        break;
      }
      const { choices, usage: reported } = parseChunk(data);
      tokens = reported ?? tokens;
      const [choice] = choices;
      if (choice?.finish_reason) reason = reasonOf(choice.finish_reason);
      const text = choice?.delta?.content ?? '';
      if (text === '') {
        timer.heard();
        continue;
      }
      timer.pause(); // a slow reader is not a slow provider
      yield { type: 'text', text };
      timer.resume();
    }
    if (reason === undefined) throw chatFailure('cut', 'The provider broke its answer off.');
    const told = tokens && { promptTokens: tokens.prompt_tokens, completionTokens: tokens.completion_tokens };
    yield { type: 'end', reason, ...(told ? { usage: told } : {}) };
  }
}

/** How servers of this protocol say that nothing is missing; `stop` in OpenAI's own. */
const whole = new Set(['stop', 'stop_sequence', 'eos_token', 'end_turn']);

function reasonOf(told: string): EndReason {
  if (whole.has(told)) return 'stop';
  return told === 'length' ? 'length' : 'withheld';
}

function bodyOf(
  model: string,
  { messages, temperature, maxTokens }: ChatRequest,
  limit: TokenLimit,
): Record<string, unknown> {
  return {
    model,
    messages,
    [limit]: maxTokens,
    ...(temperature === undefined ? {} : { temperature }),
    stream: true,
    stream_options: { include_usage: true },
  };
}

function parseChunk(data: string): Chunk {
  let parsed: z.ZodSafeParseResult<Chunk>;
  try {
    parsed = chunk.safeParse(JSON.parse(data));
  } catch {
    throw chatFailure('garbage', 'The provider sent an event that is no JSON.');
  }
  if (!parsed.success) throw chatFailure('garbage', 'The provider sent an event of another shape.');
  if (parsed.data.error != null) throw chatFailure('server_error', 'The provider reported a failure in its answer.');
  return parsed.data;
}

/** fetch throws a TypeError both when it cannot connect and when the body breaks off. */
function asChatFailure(error: unknown): RagmeshError {
  if (isRagmeshError(error)) return error;
  const { name, message } = error as Partial<Error>;
  if (name !== 'TypeError') return asRagmeshError(error);
  const isCut = message === 'terminated';
  return isCut
    ? chatFailure('cut', 'The connection to the provider broke.', {}, error)
    : chatFailure('unreachable', 'The provider cannot be reached.', {}, error);
}
