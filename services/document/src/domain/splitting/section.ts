import type { Block, ParsedDocument } from '../parsed-document.js';

/** A block with the headings above it. */
export interface PlacedBlock extends Block {
  /** Counts headings passed so far: equal numbers, same section. */
  readonly section: number;
  /** `Guide > Install`; null above the first heading. */
  readonly heading: string | null;
}

/** A heading longer than this is body text in disguise, and would be repeated in every chunk. */
const maxHeadingUnits = 160;

/** Walks the blocks with the path of headings that leads to each; runs of headings open one section together. */
export function* placedBlocks(document: Pick<ParsedDocument, 'text' | 'blocks'>): Generator<PlacedBlock> {
  const path: { level: number; title: string }[] = [];
  let section = 0;
  let heading: string | null = null;
  let afterHeading = false;
  for (const block of document.blocks) {
    if (block.kind === 'heading') {
      const level = block.level ?? 1;
      while (path.length > 0 && path.at(-1)!.level >= level) path.pop();
      path.push({ level, title: titleOf(document.text.slice(block.start, Math.min(block.end, block.start + 1000))) });
      heading = path.map(({ title }) => title).join(' > ');
      if (!afterHeading) section += 1;
    }
    afterHeading = block.kind === 'heading';
    yield { ...block, section, heading };
  }
}

function titleOf(raw: string): string {
  const plain = raw.replace(/^#{1,6}\s+|\s+#+\s*$|\s*\n[=-]+\s*$/g, '').replace(/\s+/g, ' ').trim(); // prettier-ignore
  return plain.length <= maxHeadingUnits ? plain : `${plain.slice(0, maxHeadingUnits - 1).toWellFormed()}…`;
}

/** What two heading paths have in common, outermost first; null when nothing. */
export function commonHeading(left: string | null, right: string | null): string | null {
  if (left === right) return left;
  const [a, b] = [left?.split(' > ') ?? [], right?.split(' > ') ?? []];
  const shared = a.findIndex((title, index) => title !== b[index]);
  return a.slice(0, shared < 0 ? a.length : shared).join(' > ') || null;
}
