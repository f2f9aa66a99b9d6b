import { asRagmeshError, isRagmeshError, type RagmeshError } from '@ragmesh/errors';
import { z } from 'zod';
import type {
  ChatPiece,
  ChatRequest,
  ChatTimeLimits,
  EndReason,
  Ignorable,
  LanguageModel,
} from '../domain/language-model.js';
import { estimateUsage } from '../domain/token-estimate.js';
import { CallTimer } from './call-timer.js';
import { chatFailure, outcomeOf } from './chat-failure.js';
import { isLasting, refusalOf, refusedField, type RefusedField } from './openai-refusal.js';
import { eventData } from './server-sent-events.js';
import { failureWithUsage } from './spent-usage.js';

export interface OpenAiEndpoint {
  readonly provider: string;
  /** Up to and including the version, `https://api.openai.com/v1` say. */
  readonly baseUrl: string;
  readonly apiKey?: string | undefined;
}

const count = z.int32().nonnegative();
const usage = z.object({ prompt_tokens: count, completion_tokens: count });
const chunk = z.object({
  choices: z
    .array(
      z.object({
        delta: z.object({ content: z.string().nullish() }).nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .nullish(),
  usage: usage.nullish().catch(undefined), // an answer is worth more than its count, which can be estimated
  error: z.unknown().optional(),
});
type Chunk = z.infer<typeof chunk>;

/** Fields a model was found to refuse. Every server knows them; OpenAI's reasoning models do not take them. */
type Refused = ReadonlySet<RefusedField>;

interface Opened {
  readonly response: Response;
  readonly ignored: readonly Ignorable[];
}

/** What a stream has told of its answer beside the text. */
interface Heard {
  reason?: EndReason;
  tokens?: z.infer<typeof usage> | undefined;
}

/** A chat model behind the OpenAI protocol, wherever it runs. */
export class OpenAiChatModel implements LanguageModel {
  readonly provider: string;
  #refused: Refused = new Set();

  constructor(
    private readonly endpoint: OpenAiEndpoint,
    readonly name: string,
  ) {
    this.provider = endpoint.provider;
  }

  async *chat(request: ChatRequest, limits: ChatTimeLimits, signal: AbortSignal): AsyncGenerator<ChatPiece> {
    const timer = new CallTimer(limits, signal);
    let isAwaited = false; // accepted, and nothing has come of it yet
    try {
      const { response, ignored } = await this.#open(request, timer.signal);
      isAwaited = true;
      for await (const piece of this.#read(response, ignored, timer)) {
        isAwaited = false;
        yield piece;
      }
    } catch (error) {
      const failure = timer.reason ?? asChatFailure(error);
      throw isAwaited ? withPrompt(failure, request) : failure;
    } finally {
      timer.stop(); // whatever the reason, the provider stops writing
    }
  }

  /** A model that refuses a field is asked again, once for each, and remembered as one where that holds for every request. */
  async #open(request: ChatRequest, signal: AbortSignal): Promise<Opened> {
    let refused = this.#refused;
    let response = await this.#post(request, refused, signal);
    for (;;) {
      const field = await refusedField(response);
      if (field === undefined || refused.has(field)) break;
      refused = new Set([...refused, field]);
      response = await this.#post(request, refused, signal);
    }
    if (!response.ok) throw refusalOf(response);
    const lasting = [...refused].filter((field) => isLasting(field, request));
    this.#refused = new Set([...this.#refused, ...lasting]);
    if (!response.body || !/^text\/event-stream\b/i.test(response.headers.get('content-type') ?? '')) {
      throw chatFailure('garbage', 'The provider did not answer with a stream of events.');
    }
    const isIgnored = request.temperature !== undefined && refused.has('temperature');
    return { response, ignored: isIgnored ? ['temperature'] : [] };
  }

  #post(request: ChatRequest, refused: Refused, signal: AbortSignal): Promise<Response> {
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
      body: JSON.stringify(bodyOf(this.name, request, refused)),
    });
  }

  /** What happens to the connection once the model has ended its answer takes nothing from it. */
  async *#read(response: Response, ignored: readonly Ignorable[], timer: CallTimer): AsyncGenerator<ChatPiece> {
    const heard: Heard = {};
    try {
      yield* this.#texts(response.body!, heard, timer);
    } catch (error) {
      if (heard.reason === undefined || timer.reason?.code === 'REQUEST.CANCELLED') throw error;
    }
    const { reason, tokens } = heard;
    if (reason === undefined) throw chatFailure('cut', 'The provider broke its answer off.');
    const told = tokens && { promptTokens: tokens.prompt_tokens, completionTokens: tokens.completion_tokens };
    yield { type: 'end', reason, ...(told ? { usage: told } : {}), ...(ignored.length > 0 ? { ignored } : {}) };
  }

  /** The usage follows the end in a chunk of its own, so it reads on until the stream says `[DONE]`. */
  async *#texts(body: AsyncIterable<Uint8Array>, heard: Heard, timer: CallTimer): AsyncGenerator<ChatPiece> {
    for await (const data of eventData(body)) {
      if (data === '[DONE]') {
        heard.reason ??= 'stop'; // some servers name no reason
        return;
      }
      const { choices, usage: reported } = parseChunk(data);
      heard.tokens = reported ?? heard.tokens;
      const choice = choices?.[0];
      if (choice?.finish_reason) {
        heard.reason = reasonOf(choice.finish_reason);
        timer.ended();
      }
      const text = choice?.delta?.content ?? '';
      if (text === '') {
        timer.heard();
        continue;
      }
      timer.pause(); // a slow reader is not a slow provider
      yield { type: 'text', text };
      timer.resume();
    }
  }
}

/** A provider that has accepted a prompt has it read, and bills that; not where it says itself that it failed. */
const withPrompt = (failure: RagmeshError, request: ChatRequest): unknown =>
  outcomeOf(failure) === 'server_error' ? failure : failureWithUsage(failure, [estimateUsage(request, '')]);

/** How servers of this protocol say that nothing is missing; `stop` in OpenAI's own. */
const whole = new Set(['stop', 'stop_sequence', 'eos_token', 'end_turn']);

function reasonOf(told: string): EndReason {
  if (whole.has(told)) return 'stop';
  return told === 'length' ? 'length' : 'withheld';
}

function bodyOf(
  model: string,
  { messages, temperature, maxTokens, stop = [] }: ChatRequest,
  refused: Refused,
): Record<string, unknown> {
  return {
    model,
    messages,
    [refused.has('max_tokens') ? 'max_completion_tokens' : 'max_tokens']: maxTokens,
    ...(temperature === undefined || refused.has('temperature') ? {} : { temperature }),
    ...(stop.length === 0 || refused.has('stop') ? {} : { stop }),
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
