import { RagmeshError } from '@ragmesh/errors';
import type { Block, BlockKind } from '../../domain/parsed-document.js';
import { canonicalText } from './canonical-text.js';

type BlockFacts = Pick<Block, 'level' | 'page'>;

/** Grows the canonical text of a document block by block and stops at the limit on output characters. */
export class DocumentText {
  readonly blocks: Block[] = [];
  private readonly parts: string[] = [];
  private length = 0;

  constructor(private readonly maxCharacters: number) {}

  /** Appends a block after a blank line; white space at its ends is dropped, and an empty block is ignored. */
  add(kind: BlockKind, raw: string, facts: BlockFacts = {}): void {
    const canonical = canonicalText(raw);
    // Code keeps the indentation of its first line.
    const text = kind === 'code' ? canonical.replace(/^\n+/, '').trimEnd() : canonical.trim();
    if (text === '') return;
    if (this.length > 0) this.append('\n\n');
    const start = this.length;
    this.append(text);
    this.blocks.push({ kind, start, end: this.length, ...facts });
  }

  /** Takes a text whose blocks are already known; used by formats whose source is the canonical text. */
  addWhole(text: string, blocks: Iterable<Block>): void {
    this.append(text);
    for (const block of blocks) this.blocks.push(block);
  }

  get isEmpty(): boolean {
    return this.blocks.length === 0;
  }

  toString(): string {
    return this.parts.join('');
  }

  private append(text: string): void {
    this.length += text.length;
    if (this.length > this.maxCharacters) throw limitExceeded('output characters', this.maxCharacters);
    this.parts.push(text);
  }
}

/** `DOCUMENT.LIMIT_EXCEEDED` with the limit named in sentence and details. */
export function limitExceeded(limit: string, allowed: number, unit = ''): RagmeshError {
  const bound = unit ? `${allowed} ${unit}` : `${allowed}`;
  return new RagmeshError('DOCUMENT.LIMIT_EXCEEDED', `The document exceeds the limit on ${limit} (${bound}).`, {
    limit,
    allowed,
  });
}
