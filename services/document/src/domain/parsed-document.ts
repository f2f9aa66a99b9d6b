/** What a stretch of the text is. A splitter never has to guess structure again. */
export type BlockKind = 'heading' | 'paragraph' | 'table' | 'code' | 'list';

/** `start` and `end` are UTF-16 indices into {@link ParsedDocument.text}; blocks are in order and do not overlap. */
export interface Block {
  readonly kind: BlockKind;
  readonly start: number;
  readonly end: number;
  /** Of a heading: 1 is the outermost. */
  readonly level?: number;
  /** 1-based; only where the format has pages or slides. */
  readonly page?: number;
}

/**
 * A file as text. `text` is canonical: what is stored, served and cited, so every offset counts in it. It is well-formed
 * Unicode, has `\n` line ends and no control character but tab and line feed.
 */
export interface ParsedDocument {
  readonly mediaType: string;
  readonly title: string | null;
  readonly text: string;
  readonly blocks: readonly Block[];
  readonly pages: number | null;
}
