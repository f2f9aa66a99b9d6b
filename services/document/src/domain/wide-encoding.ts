/** Unicode encodings that put zero bytes into plain Latin text. */
export type WideEncoding = 'utf-16le' | 'utf-16be' | 'utf-32le' | 'utf-32be';

/** Names the wide encoding of the bytes; null when they are bytewise text or binary data. */
export function wideEncoding(head: Uint8Array): WideEncoding | null {
  const [a, b, c, d] = head;
  if (a === 0xff && b === 0xfe) return c === 0 && d === 0 ? 'utf-32le' : 'utf-16le';
  if (a === 0xfe && b === 0xff) return 'utf-16be';
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return 'utf-32be';
  return wideEncodingByZeros(head.subarray(0, 4096));
}

/** Where zeros must be frequent and where they must be rare, by position within four bytes. */
const zeroPatterns: readonly {
  encoding: WideEncoding;
  zero: readonly number[];
  filled: readonly number[];
  share: number;
}[] = [
  { encoding: 'utf-32le', zero: [2, 3], filled: [0], share: 0.9 },
  { encoding: 'utf-32be', zero: [0, 1], filled: [3], share: 0.9 },
  { encoding: 'utf-16le', zero: [1, 3], filled: [0, 2], share: 0.4 },
  { encoding: 'utf-16be', zero: [0, 2], filled: [1, 3], share: 0.4 },
];

function wideEncodingByZeros(head: Uint8Array): WideEncoding | null {
  const quads = Math.floor(head.length / 4);
  const shares = [0, 0, 0, 0];
  for (let index = 0; index < quads * 4; index += 1) if (head[index] === 0) shares[index & 3]! += 1 / quads;
  const pattern = zeroPatterns.find(
    ({ zero, filled, share }) => zero.every((at) => shares[at]! > share) && filled.every((at) => shares[at]! < 0.05),
  );
  return pattern?.encoding ?? null;
}
