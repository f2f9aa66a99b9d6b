export type TurnRole = 'user' | 'assistant';

/** One message of a conversation, as a prompt takes it. */
export interface Turn {
  readonly role: TurnRole;
  readonly text: string;
}

/** A message to be kept. */
export interface NewTurn extends Turn {
  /** The request it came with, or was given to. */
  readonly requestId?: string;
  /** Of an answer: the documents it cites. */
  readonly documentIds?: readonly string[];
  /** Where those are. */
  readonly collection?: string;
  /** When what it was made from began to be read, in ms of `performance.now()`; just now unless given. */
  readonly readAt?: number;
}

/** A message as it was kept. */
export interface KeptTurn extends Turn {
  /** Position in its conversation, from 1. */
  readonly ordinal: number;
  readonly requestId: string;
  readonly documentIds: readonly string[];
  /** Its text was removed, because of what it cited. */
  readonly withdrawn: boolean;
  readonly createdAt: Date;
}

/** A text as the database can hold it: models and clients may send NUL characters and halves of surrogate pairs. */
export const keepable = (text: string): string => text.replaceAll('\0', '').toWellFormed();
