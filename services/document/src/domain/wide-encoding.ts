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

function wideEncodingByZeros(head: Uint8Array): WideEncoding | null {
  const quads = Math.floor(head.length / 4);
  if (quads < 1) return null;
  const share = [0, 0, 0, 0];
  for (let index = 0; index < quads * 4; index += 1) if (head[index] === 0) share[index & 3]! += 1 / quads;
  const [first, second, third, fourth] = share as [number, number, number, number];
  const high = 0.9;
  if (third > high && fourth > high && first < 0.1) return 'utf-32le';
  if (first > high && second > high && fourth < 0.1) return 'utf-32be';
  const some = 0.4;
  if (second > some && fourth > some && first < 0.05 && third < 0.05) return 'utf-16le';
  if (first > some && third > some && second < 0.05 && fourth < 0.05) return 'utf-16be';
  return null;
}
