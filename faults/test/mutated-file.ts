import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { seeded } from '../../libs/testing/src/seeded-random.js';

/** A real file of which something was changed. */
export interface MutatedFile {
  readonly name: string;
  readonly bytes: Buffer;
}

type Random = () => number;
type Mutation = (bytes: Buffer, random: Random) => Buffer;

/** Larger ones are read whole elsewhere; here hundreds are read. */
const LARGEST = 600 * 1024;
const MOST_MUTATIONS = 4;

const folder = fileURLToPath(new URL('../../../shared/documents', import.meta.url));
const names = readdirSync(folder)
  .filter((name) => name !== 'MANIFEST.tsv' && statSync(join(folder, name)).size <= LARGEST)
  .toSorted();

const below = (random: Random, limit: number): number => Math.floor(random() * limit);
const oneOf = <T>(random: Random, list: readonly T[]): T => list[below(random, list.length)]!;
function sliceOf(bytes: Buffer, random: Random, most: number): Buffer {
  const from = below(random, bytes.length);
  return bytes.subarray(from, from + 1 + below(random, most));
}
function inserted(bytes: Buffer, random: Random, piece: Buffer): Buffer {
  const at = below(random, bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
}

/** What parsers take for a sign, where nobody expects it. */
const signs = [
  'endobj',
  '/Kids [1 0 R]',
  '/Length 99999999',
  '<w:p>',
  '</w:body>',
  ']]>',
  '<!ENTITY a "&a;">',
  '%PDF-',
  '"',
  '\0',
  '\r\n',
  'PK\u0003\u0004',
];

const mutations: Readonly<Record<string, Mutation>> = {
  flipBits: (bytes, random) => {
    for (let left = 1 + below(random, 64); left > 0; left -= 1)
      bytes[below(random, bytes.length)]! ^= 1 << below(random, 8);
    return bytes;
  },
  overwrite: (bytes, random) => {
    sliceOf(bytes, random, 512).fill(oneOf(random, [0x00, 0x20, 0x7f, 0xff]));
    return bytes;
  },
  cut: (bytes, random) => bytes.subarray(0, below(random, bytes.length)),
  behead: (bytes, random) => bytes.subarray(below(random, Math.min(bytes.length, 4096))),
  repeat: (bytes, random) => {
    const piece = sliceOf(bytes, random, 2048);
    return inserted(bytes, random, Buffer.concat(Array.from({ length: 1 + below(random, 50) }, () => piece)));
  },
  plant: (bytes, random) => inserted(bytes, random, Buffer.from(oneOf(random, signs))),
  growNumber: (bytes, random) => {
    const text = bytes.toString('latin1');
    const digits = [...text.matchAll(/\d+/g)];
    if (digits.length === 0) return bytes;
    const { index, 0: found } = oneOf(random, digits);
    return Buffer.from(
      `${text.slice(0, index)}${found}${oneOf(random, ['0', '99999999', '-1'])}${text.slice(index + found.length)}`,
      'latin1',
    );
  },
  splice: (bytes, random) =>
    inserted(bytes, random, sliceOf(readFileSync(join(folder, oneOf(random, names))), random, 8192)),
};

/** The file of a seed: one of the real ones, with one to four changes. The same seed gives the same bytes. */
export function mutatedFile(seed: number): MutatedFile {
  const random = seeded(seed);
  const name = names[seed % names.length]!;
  let bytes: Buffer = readFileSync(join(folder, name));
  for (let left = 1 + below(random, MOST_MUTATIONS); left > 0 && bytes.length > 0; left -= 1)
    bytes = oneOf(random, Object.values(mutations))(bytes, random);
  return { name, bytes };
}
