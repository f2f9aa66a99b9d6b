import type { Block, BlockKind } from '../../../domain/parsed-document.js';
import { canonicalText } from '../canonical-text.js';
import type { Converter } from './converter.js';
import { frontMatterLength } from './front-matter.js';

/** Markdown stays as it is, marks included, so that offsets point into the source; lines tell the blocks apart. */
export const convertMarkdown: Converter<string> = async (source, output) => {
  const text = canonicalText(source);
  const blocks = [...blocksOf(text)];
  output.addWhole(text, blocks);
  const heading = blocks.find(({ kind, level }) => kind === 'heading' && level === 1);
  const title = heading && text.slice(heading.start, heading.end).split('\n')[0]!.replace(/^#\s+|\s+#+\s*$/g, ''); // prettier-ignore
  return { title: title?.trim() || null, pages: null };
};

interface Line {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

interface OpenBlock {
  kind: BlockKind;
  start: number;
  end: number;
  level?: number;
  /** The marks that opened a fence; only the same kind, at least as long, closes it. */
  fence?: string;
}

/** Line by line after CommonMark's block rules; a fence that is never closed runs to the end of the file. */
function* blocksOf(text: string): Generator<Block> {
  let open: OpenBlock | null = null;
  for (const line of contentLines(text)) {
    const step: Step = open?.fence ? insideFence(open, open.fence, line) : nextStep(open, line);
    if (step.finished) yield finished(step.finished);
    open = step.open;
  }
  if (open) yield finished(open);
}

/** What a line does: it may finish a block, and leaves one open or none. */
interface Step {
  readonly finished?: OpenBlock | null;
  readonly open: OpenBlock | null;
}

function insideFence(open: OpenBlock, fence: string, line: Line): Step {
  const grown = { ...open, end: line.end };
  return closesFence(line.text, fence) ? { finished: grown, open: null } : { open: grown };
}

function nextStep(open: OpenBlock | null, line: Line): Step {
  const kind = kindOf(line.text, open);
  if (open?.kind === 'paragraph' && isUnderline(line.text)) {
    return {
      finished: { ...open, kind: 'heading', level: line.text.includes('=') ? 1 : 2, end: line.end },
      open: null,
    };
  }
  if (kind === null) return { finished: open, open: null };
  const continues = open?.kind === kind && kind !== 'heading' && kind !== 'code';
  return open && continues ? { open: { ...open, end: line.end } } : { finished: open, open: opened(kind, line) };
}

const isUnderline = (line: string) => /^ {0,3}(?:=+|-{2,})\s*$/.test(line);

function* contentLines(text: string): Generator<Line> {
  // Front matter is settings, not text.
  let start = frontMatterLength(text);
  while (start < text.length) {
    const feed = text.indexOf('\n', start);
    const end = feed < 0 ? text.length : feed;
    yield { text: text.slice(start, Math.min(end, start + 4096)), start, end };
    start = end + 1;
  }
}

/** Null for a blank line. An indented or lazy line goes on with the list above it. */
function kindOf(line: string, open: OpenBlock | null): BlockKind | null {
  if (/^\s*$/.test(line)) return null;
  if (/^ {0,3}(?:`{3,}[^`]*|~{3,}.*)$/.test(line)) return 'code';
  if (/^ {0,3}#{1,6}(?:\s|$)/.test(line)) return 'heading';
  if (/^\s*\|.*\|\s*$/.test(line) || /^ {0,3}:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)+$/.test(line)) return 'table';
  if (/^\s*(?:[-*+]|\d{1,9}[.)])\s+\S/.test(line)) return 'list';
  return open?.kind === 'list' || open?.kind === 'table' ? open.kind : 'paragraph';
}

function opened(kind: BlockKind, line: Line): OpenBlock {
  const mark = /^\s*(#{1,6}|`{3,}|~{3,})/.exec(line.text)?.[1] ?? '';
  if (kind === 'heading') return { kind, start: line.start, end: line.end, level: mark.length };
  return { kind, start: line.start, end: line.end, ...(kind === 'code' && { fence: mark }) };
}

function closesFence(line: string, fence: string): boolean {
  const marks = line.trim();
  return marks.length >= fence.length && marks === fence.charAt(0).repeat(marks.length);
}

const finished = ({ kind, start, end, level }: OpenBlock): Block => ({ kind, start, end, ...(level && { level }) });
