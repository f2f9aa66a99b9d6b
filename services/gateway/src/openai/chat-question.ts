import type { MessageInitShape } from '@bufbuild/protobuf';
import type { retrievalV1 } from '@ragmesh/contracts';
import { RagmeshError } from '@ragmesh/errors';
import type { ChatInput, ChatMessage } from './chat.schema.js';
import { CHAT_MODEL, collectionOf } from './model-names.js';

const MAX_QUESTION_CHARACTERS = 8_000;
/** As many as the generation service takes. */
const MAX_INSTRUCTIONS = 8_000;
/** Most tokens of an answer; clients that ask for more get this many. */
const MAX_TOKENS = 8_192;

const textOf = ({ content }: ChatMessage): string =>
  typeof content === 'string' ? content : (content ?? []).map(({ text }) => text).join('\n');

/** The question of a chat: the last message of its user. @throws RagmeshError naming the message. */
export function questionOf(messages: readonly ChatMessage[]): string {
  const index = messages.findLastIndex(({ role }) => role === 'user');
  if (index === -1) throw invalid('messages', 'Field messages must hold a message of the role user.');
  const field = `messages[${index}].content`;
  const question = textOf(messages[index]!);
  if (question.trim() === '') throw invalid(field, `Field ${field} must not be blank.`);
  if (question.length <= MAX_QUESTION_CHARACTERS) return question;
  const detail = `Field ${field}, the question, must be at most ${MAX_QUESTION_CHARACTERS} characters long.`;
  throw new RagmeshError('REQUEST.INVALID', detail, { field, limit: MAX_QUESTION_CHARACTERS });
}

/**
 * What is asked of retrieval; what the body leaves out is as the collection has it.
 * @param languageModel that the body names instead of a collection.
 * @throws RagmeshError REQUEST.INVALID or MODEL.NOT_FOUND.
 */
export function queryOf(input: ChatInput, languageModel = ''): MessageInitShape<typeof retrievalV1.QueryRequestSchema> {
  const { messages, conversation_id: conversation, temperature, max_tokens: most } = input;
  const maxTokens = input.max_completion_tokens ?? most;
  return {
    search: {
      query: questionOf(messages),
      collection: chosenCollection(languageModel === '' ? input : { ...input, model: CHAT_MODEL }),
      mode: input.mode ?? '',
      topK: input.top_k ?? 0,
      filters: input.filters ?? undefined,
      minScore: input.min_score ?? undefined,
      rerank: input.rerank ?? undefined,
    },
    model: languageModel,
    conversationId: conversation ?? '',
    history: historyOf(messages),
    instructions: instructionsOf(messages),
    temperature: temperature ?? undefined,
    maxTokens: maxTokens ? Math.min(maxTokens, MAX_TOKENS) : undefined,
    stop: [input.stop ?? []].flat(),
  };
}

/** The collection the body names, else the one the model's name does. */
export function chosenCollection({ model, collection }: Pick<ChatInput, 'model' | 'collection'>): string {
  const named = collectionOf(model);
  if (named === undefined) throw unknownModel(model);
  if (collection && named !== '' && named !== collection) {
    throw invalid('collection', `Field collection must be absent, or ${named} as the model says.`);
  }
  return collection || named || 'default';
}

const invalid = (field: string, detail: string): RagmeshError => new RagmeshError('REQUEST.INVALID', detail, { field });

/** The name is not repeated whole: it is a stranger's. */
export const unknownModel = (model: string): RagmeshError =>
  new RagmeshError('MODEL.NOT_FOUND', `No model "${model.slice(0, 100)}" answers here; see GET /v1/models.`, {
    field: 'model',
  });

/** Most messages before the question that are passed on; answers look at fewer. */
const MAX_HISTORY = 20;

function historyOf(messages: readonly ChatMessage[]): { role: string; text: string }[] {
  const question = messages.findLastIndex(({ role }) => role === 'user');
  return messages
    .slice(0, question)
    .filter((message) => (message.role === 'user' || message.role === 'assistant') && textOf(message).trim() !== '')
    .slice(-MAX_HISTORY)
    .map((message) => ({ role: message.role, text: textOf(message) }));
}

/**
 * System messages of a chat, one below the other: how its owner wants to be answered.
 * @throws RagmeshError REQUEST.INVALID naming the messages, the only field of theirs that its sender knows.
 */
function instructionsOf(messages: readonly ChatMessage[]): string {
  const instructions = messages
    .flatMap((message) => (message.role === 'system' || message.role === 'developer' ? textOf(message) : []))
    .join('\n');
  if (instructions.length <= MAX_INSTRUCTIONS) return instructions;
  const detail = `Field messages may hold at most ${MAX_INSTRUCTIONS} characters of the roles system and developer together.`;
  throw new RagmeshError('REQUEST.INVALID', detail, { field: 'messages', limit: MAX_INSTRUCTIONS });
}
