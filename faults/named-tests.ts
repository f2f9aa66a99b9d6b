import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const QUOTED = /'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g;
/** What a value stands for in a title. */
const PLACEHOLDER = /\$\{[^}]*\}|%[sdij]|\$\w+/;
const RELATIVE = /from '(\.{1,2}\/[^']+)\.js'/g;

/**
 * Whether a spec, or a suite that it imports, writes the titles that `text` is a part of the full name of: the end of one, whole ones,
 * the beginning of the last.
 */
export function hasTest(spec: string, text: string): boolean {
  const pieces = [...new Set(sourcesOf(spec, new Set()).flatMap(piecesOf))];
  return pieces.some((piece) => piece.includes(text)) || endsIn(pieces, text).some((rest) => continues(pieces, rest));
}

/** What is left of `text` after the end of a piece that it may begin with. */
const endsIn = (pieces: readonly string[], text: string): string[] =>
  wordEnds(text)
    .filter((end) => pieces.some((piece) => piece.endsWith(text.slice(0, end))))
    .map((end) => text.slice(end).trimStart());

function continues(pieces: readonly string[], rest: string): boolean {
  if (pieces.some((piece) => piece.startsWith(rest))) return true;
  const [number] = /^\d+(?= )/.exec(rest) ?? [];
  const whole = [...pieces, ...(number === undefined ? [] : [number])].filter((piece) => rest.startsWith(`${piece} `));
  return whole.some((piece) => continues(pieces, rest.slice(piece.length + 1)));
}

const wordEnds = (text: string): number[] => [...text.matchAll(/ /g)].map(({ index }) => index);

/** The source of a spec and of the suites that it imports. */
function sourcesOf(path: string, seen: Set<string>): string[] {
  if (seen.has(path) || !existsSync(path)) return [];
  const source = readFileSync(path, 'utf8');
  if (seen.size > 0 && !source.includes('@jest/globals')) return [];
  seen.add(path);
  const imports = [...source.matchAll(RELATIVE)].map(([, to]) => join(dirname(path), `${to}.ts`));
  return [source, ...imports.flatMap((to) => sourcesOf(to, seen))];
}

/** The texts in a source, in the parts that stand between values. */
const piecesOf = (source: string): string[] =>
  [...source.matchAll(QUOTED)]
    .flatMap(([, single, double, template]) =>
      (single ?? double ?? template!).replaceAll(/\\(.)/g, '$1').split(PLACEHOLDER),
    )
    .map((piece) => piece.trim())
    .filter((piece) => piece !== '');
