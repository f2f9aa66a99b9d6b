import { wideEncoding } from '../../domain/wide-encoding.js';

/** Enough for statistics; reading megabytes would not make a guess better. */
const detectionBytes = 65_536;

/** What switches ISO-2022-JP from ASCII to another character set: `ESC $ @`, `ESC $ B`, `ESC ( J`, `ESC ( I`. */
const japaneseEscapes = ['\x1b$@', '\x1b$B', '\x1b(J', '\x1b(I'];

/**
 * Decodes text of any encoding: byte order mark, UTF-16/32 by their bytes, ISO-2022-JP by its escapes, valid UTF-8, the
 * charset an HTML page declares, and at last a statistical guess. Never fails: undecodable bytes become U+FFFD.
 */
export async function decodeText(bytes: Uint8Array): Promise<string> {
  const wide = wideEncoding(bytes);
  if (wide === 'utf-32le' || wide === 'utf-32be') return decodeUtf32(bytes, wide === 'utf-32le');
  if (wide) return new TextDecoder(wide).decode(bytes);
  const utf8 = strictUtf8(bytes);
  if (utf8 !== null) return isIso2022Jp(utf8, bytes.length) ? new TextDecoder('iso-2022-jp').decode(bytes) : utf8;
  const label = declaredCharset(bytes) ?? (await guessedCharset(bytes));
  return new TextDecoder(label).decode(bytes);
}

/** All of its bytes are ASCII, so it passes for valid UTF-8. */
function isIso2022Jp(text: string, byteLength: number): boolean {
  return text.length === byteLength && japaneseEscapes.some((escape) => text.includes(escape));
}

function strictUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

function declaredCharset(bytes: Uint8Array): string | null {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 2048)).toString('latin1');
  const label = /<meta[^>]{0,200}?charset\s*=\s*["']?([\w-]{2,40})/i.exec(head)?.[1];
  return label && isSupported(label) ? label : null;
}

async function guessedCharset(bytes: Uint8Array): Promise<string> {
  if (mostlyUtf8(bytes)) return 'utf-8';
  const { analyse } = await import('chardet');
  const candidates = analyse(tellingPart(bytes)).filter(({ name }) => !name.startsWith('UTF-'));
  return candidates.map(({ name }) => name).find(isSupported) ?? 'windows-1252';
}

/** From the first byte beyond ASCII on: a few dozen letters before it that any encoding has would already mislead. */
function tellingPart(bytes: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bytes.length && bytes[start]! < 0x80) start += 1;
  return bytes.subarray(start, start + detectionBytes);
}

/** A damaged UTF-8 file is still UTF-8: few replacements among the characters beyond ASCII, wherever in it they stand. */
function mostlyUtf8(bytes: Uint8Array): boolean {
  const text = new TextDecoder('utf-8').decode(bytes);
  let beyondAscii = 0;
  let damaged = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit > 127) beyondAscii += 1;
    if (unit === 0xfffd) damaged += 1;
  }
  return damaged * 3 < beyondAscii;
}

function isSupported(label: string): boolean {
  try {
    return new TextDecoder(label).encoding !== '';
  } catch {
    return false;
  }
}

function decodeUtf32(bytes: Uint8Array, littleEndian: boolean): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: string[] = [];
  for (let offset = 0; offset + 4 <= bytes.length; offset += 4) {
    const point = view.getUint32(offset, littleEndian);
    parts.push(point <= 0x10ffff ? String.fromCodePoint(point) : '\ufffd');
  }
  return parts.join('');
}
