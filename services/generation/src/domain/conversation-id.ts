import { RagmeshError } from '@ragmesh/errors';

/** Longest id of a conversation, in UTF-16 units. */
export const MAX_CONVERSATION_ID = 200;

/**
 * The id, when it can be one: the caller's own, of at most 200 characters without control characters.
 * @throws RagmeshError REQUEST.INVALID.
 */
export function checkConversationId(id: string): string {
  if (id === '' || id.length > MAX_CONVERSATION_ID || /[\p{Cc}\p{Cs}]/u.test(id)) {
    throw new RagmeshError(
      'REQUEST.INVALID',
      `The field conversation_id must have 1 to ${MAX_CONVERSATION_ID} characters and no control character.`,
      { field: 'conversation_id', limit: MAX_CONVERSATION_ID },
    );
  }
  return id;
}
