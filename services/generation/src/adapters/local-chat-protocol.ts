/** What the thread that runs a local model is started with. */
export interface LocalChatSetup {
  /** Where `@huggingface/transformers` is imported from. */
  readonly library: string;
  readonly modelsDir: string;
  readonly model: string;
}

export interface LocalChatTask {
  readonly id: number;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly maxTokens: number;
  readonly temperature: number | undefined;
  /** Two int32: pieces the reader has room for, and 1 once it has stopped. */
  readonly gate: SharedArrayBuffer;
}

export type LocalChatReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'text'; readonly id: number; readonly text: string }
  | {
      readonly kind: 'end';
      readonly id: number;
      readonly reason: 'stop' | 'length';
      readonly promptTokens: number;
      readonly completionTokens: number;
    }
  | { readonly kind: 'failed'; readonly id: number; readonly name: string };

/** Positions in the gate. */
export const ROOM = 0;
export const STOPPED = 1;
