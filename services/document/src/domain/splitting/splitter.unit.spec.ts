import { describe, expect, it } from '@jest/globals';
import type { Block } from '../parsed-document.js';
import { split } from './splitter.js';
import { estimateTokens } from './token-estimate.js';

/** Reads blank lines as paragraph ends and leading number signs as headings. */
function paragraphs(text: string): { text: string; blocks: Block[] } {
  const blocks: Block[] = [];
  let start = 0;
  for (const part of text.split('\n\n')) {
    const level = /^#+/.exec(part)?.[0].length;
    if (part) blocks.push({ kind: level ? 'heading' : 'paragraph', start, end: start + part.length, level });
    start += part.length + 2;
  }
  return { text, blocks };
}

/** Mulberry32: the same seed gives the same document on every run. */
function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const words = [
  'alpha',
  'Überraschung',
  '漢字かな',
  '👩‍👩‍👧‍👦',
  'é',
  'ไทยภาษา',
  '3.14159',
  'end.',
  'internationalization',
  '🇩🇪',
  '…',
  'مرحبا',
];

function randomDocument(seed: number) {
  const next = random(seed);
  const pick = () => words[Math.floor(next() * words.length)]!;
  const block = () => {
    const body = Array.from({ length: 1 + Math.floor(next() ** 3 * 300) }, pick).join(next() < 0.2 ? '' : ' ');
    return next() < 0.2 ? `${'#'.repeat(1 + Math.floor(next() * 3))} ${body.slice(0, 30).toWellFormed()}` : body;
  };
  return paragraphs(Array.from({ length: 1 + Math.floor(next() * 40) }, block).join('\n\n'));
}

describe('split', () => {
  it.each(Array.from({ length: 60 }, (_, seed) => seed))('keeps its promises for random document %i', (seed) => {
    const document = randomDocument(seed);
    const options = { chunkSize: 5 + ((seed * 13) % 200), overlap: seed % 3 === 0 ? 0 : seed % 40 };
    const chunks = [...split(document, options)];
    const covered = new Uint8Array(document.text.length);
    for (const [position, chunk] of chunks.entries()) {
      expect(chunk.index).toBe(position);
      expect(document.text.slice(chunk.start, chunk.end)).toBe(chunk.text);
      expect(chunk.text.isWellFormed()).toBe(true);
      expect(chunk.text.trim()).toBe(chunk.text);
      expect(chunk.text).not.toBe('');
      expect(estimateTokens(chunk.text)).toBeLessThanOrEqual(options.chunkSize);
      if (position > 0) expect(chunk.start).toBeGreaterThan(chunks[position - 1]!.start);
      covered.fill(1, chunk.start, chunk.end);
    }
    const lost = [...document.text].length - [...document.text].filter((character) => character.trim()).length;
    expect(covered.filter((mark) => mark === 0).length).toBeLessThanOrEqual(lost);
  });

  it('keeps sections apart and names the path of headings', () => {
    const body = (word: string) => Array.from({ length: 40 }, () => word).join(' ');
    const document = paragraphs(
      `# Guide\n\n${body('intro')}\n\n## Install\n\n${body('setup')}\n\n# Usage\n\n${body('run')}`,
    );
    const chunks = [...split(document, { chunkSize: 100, overlap: 0 })];
    expect(chunks.map(({ heading }) => heading)).toEqual(['Guide', 'Guide > Install', 'Usage']);
    expect(chunks[1]!.text).toMatch(/^## Install\n\nsetup/);
  });

  it('joins tiny sections instead of making a chunk of each', () => {
    const document = paragraphs('# Terms\n\n' + Array.from({ length: 30 }, (_, n) => `## T${n}\n\nshort`).join('\n\n'));
    const chunks = [...split(document, { chunkSize: 100, overlap: 0 })];
    expect(chunks.length).toBeLessThan(10);
    expect(chunks[0]!.heading).toBe('Terms');
  });

  it('cuts between sentences before it cuts between words', () => {
    const document = paragraphs(Array.from({ length: 30 }, (_, n) => `Sentence number ${n} says something.`).join(' '));
    const chunks = [...split(document, { chunkSize: 40, overlap: 0 })];
    expect(chunks.length).toBeGreaterThan(3);
    for (const { text } of chunks) expect(text).toMatch(/^Sentence.*\.$/s);
  });

  it('takes neither the mark of a note nor an address for the end of a sentence', () => {
    const statement = (n: number) =>
      `Sentence number ${n} says something.[${n}] See https://example.org/a?b=${n} then.`;
    const document = paragraphs(Array.from({ length: 30 }, (_, n) => statement(n)).join(' '));
    for (const { text } of split(document, { chunkSize: 60, overlap: 0 })) expect(text).toMatch(/^Sentence.* then\.$/s);
  });

  it('repeats whole sentences up to the overlap', () => {
    const document = paragraphs(Array.from({ length: 30 }, (_, n) => `Sentence number ${n} says something.`).join(' '));
    const chunks = [...split(document, { chunkSize: 40, overlap: 12 })];
    for (const [position, chunk] of chunks.slice(1).entries()) {
      expect(chunk.start).toBeLessThan(chunks[position]!.end);
      expect(chunk.text).toMatch(/^Sentence/);
    }
  });

  it('names the page on which a chunk begins, also where that is in the repeated end of the page before', () => {
    const page = (about: string) => Array.from({ length: 6 }, (_, n) => `Sentence ${n} is about ${about}.`).join(' ');
    const { text, blocks } = paragraphs(['herons', 'newts', 'toads'].map(page).join('\n\n'));
    const onPages = { text, blocks: blocks.map((block, index) => ({ ...block, page: index + 3 })) };
    const pageAt = (at: number) => 3 + blocks.findLastIndex(({ start }) => start <= at);
    for (const options of [
      { chunkSize: 60, overlap: 20 },
      { chunkSize: 100, overlap: 10 },
      { chunkSize: 500, overlap: 0 },
    ]) {
      const chunks = [...split(onPages, options)];
      expect(chunks.some(({ page: begins, end }) => begins! < pageAt(end - 1))).toBe(true);
      for (const { start, end, page: begins, pageStarts = [] } of chunks) {
        expect(begins).toBe(pageAt(start));
        const within = blocks.flatMap((block, index) =>
          block.start > start && block.start < end ? [[block.start, index + 3]] : [],
        );
        expect(pageStarts).toEqual(within);
      }
    }
  });

  it.each([
    ['a single word', 'a'.repeat(1_000_000)],
    ['words without a full stop', 'lorem ipsum '.repeat(90_000)],
    ['Chinese without spaces', '天地玄黄宇宙洪荒'.repeat(125_000)],
    ['emoji families', '👩‍👩‍👧‍👦'.repeat(90_000)],
    ['combining marks on one letter', 'e' + '\u0301'.repeat(300_000)],
  ])('splits a megabyte on one line in linear time: %s', (_, text) => {
    const splitAll = (part: string) => [...split(paragraphs(part), { chunkSize: 200, overlap: 20 })];
    const costOf = (part: string): number => {
      const before = process.threadCpuUsage();
      splitAll(part);
      const { user, system } = process.threadCpuUsage(before);
      return (user + system) / 1000;
    };
    splitAll(text.slice(0, text.length / 4)); // compiled by now
    // Four times the text is four times the work, and sixteen times where it is quadratic.
    expect(costOf(text)).toBeLessThan(10 * costOf(text.slice(0, text.length / 4)) + 50);
    const chunks = splitAll(text);
    expect(chunks.length).toBeGreaterThan(100);
    for (const chunk of chunks) expect(chunk.text.isWellFormed()).toBe(true);
    expect(chunks.at(-1)!.end).toBe(text.trimEnd().length);
  });

  it('packs tens of thousands of tiny blocks', () => {
    const chunks = [...split(paragraphs('x\n\n'.repeat(50_000)), { chunkSize: 200, overlap: 0 })];
    expect(chunks.length).toBe(250);
  });

  it('gives nothing for a document without blocks', () => {
    expect([...split({ text: '', blocks: [] }, { chunkSize: 200, overlap: 0 })]).toEqual([]);
  });
});
