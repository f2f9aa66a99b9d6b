import { readsAsAlphabet, readsAsEastAsian } from './script-text.js';

/** Unicode encodings of two or four bytes a character; most put zero or control bytes where other text has none. */
export type WideEncoding = 'utf-16le' | 'utf-16be' | 'utf-32le' | 'utf-32be';

/** Names the wide encoding of the bytes; null when they are bytewise text or binary data. */
export function wideEncoding(head: Uint8Array): WideEncoding | null {
  const [a, b, c, d] = head;
  if (a === 0xff && b === 0xfe) return c === 0 && d === 0 ? 'utf-32le' : 'utf-16le';
  if (a === 0xfe && b === 0xff) return 'utf-16be';
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return 'utf-32be';
  const start = head.subarray(0, 4096);
  return wideEncodingByZeros(start) ?? wideEncodingByScript(start);
}

/** Counts the bytes that bytewise text does not have. A stray one or two is damage, more are another kind of data. */
export function controlBytes(head: Uint8Array): { zeros: number; others: number } {
  let zeros = 0;
  let others = 0;
  for (const byte of head) {
    if (byte === 0) zeros += 1;
    else if (isControl(byte)) others += 1;
  }
  return { zeros, others };
}

const isControl = (byte: number) => byte < 32 && !(byte >= 7 && byte <= 13) && byte !== 27;

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
  return pattern && !isTable(head, pattern.encoding) ? pattern.encoding : null;
}

/** Whether the units are small numbers instead of characters: lengths and offsets, of which many are control codes. */
function isTable(head: Uint8Array, encoding: WideEncoding): boolean {
  const width = encoding.startsWith('utf-32') ? 4 : 2;
  const units = Math.floor(head.length / width);
  let codes = 0;
  for (let unit = 0; unit < units; unit += 1) {
    const bytes = head.subarray(unit * width, (unit + 1) * width);
    const last = encoding.endsWith('le') ? 0 : width - 1;
    if (bytes.every((byte, at) => byte === 0 || (at === last && isControl(byte)))) codes += 1;
  }
  return codes > Math.max(2, units * 0.02);
}

/**
 * UTF-16 of scripts beyond Latin has few zeros. Only bytes that cannot be bytewise text are tried: read in pairs, much of
 * Shift_JIS or GBK would pass for Chinese or Korean.
 */
function wideEncodingByScript(head: Uint8Array): WideEncoding | null {
  const { zeros, others } = controlBytes(head);
  if (zeros + others <= 2) return null;
  // A script fills few of the high bytes, and any of the low ones.
  const little = { encoding: 'utf-16le' as const, spread: distinctBytes(head, 1) };
  const big = { encoding: 'utf-16be' as const, spread: distinctBytes(head, 0) };
  const byOrder = little.spread <= big.spread ? [little, big] : [big, little];
  // Words between zero bytes, as programs hold them, would pass for Chinese.
  const isUtf8 = strictText(head, 'utf-8') !== '';
  const found = byOrder.find(({ encoding }) => {
    const text = strictText(head, encoding);
    return readsAsAlphabet(text) || (!isUtf8 && readsAsEastAsian(text));
  });
  return found?.encoding ?? null;
}

function distinctBytes(head: Uint8Array, parity: number): number {
  const seen = new Set<number>();
  for (let index = parity; index < head.length; index += 2) seen.add(head[index]!);
  return seen.size;
}

/** Empty when the bytes are not valid; what a cut at the end left of a character is ignored. */
function strictText(bytes: Uint8Array, encoding: WideEncoding | 'utf-8'): string {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes, { stream: true });
  } catch {
    return '';
  }
}
