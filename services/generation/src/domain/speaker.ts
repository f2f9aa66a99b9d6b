/** Who speaks in a conversation, or reads one. */
export interface Speaker {
  readonly tenant: string;
  /** Whose conversations are his. */
  readonly subject: string;
  /** Whether those of others are his to read, too. */
  readonly seesAll: boolean;
}
