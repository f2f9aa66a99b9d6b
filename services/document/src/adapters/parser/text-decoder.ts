import { wideEncoding } from '../../domain/wide-encoding.js';

/** Enough for statistics; reading megabytes would not make a guess better. */
const detectionBytes = 65_536;

/**
 * Decodes text of any encoding: byte order mark, UTF-16/32 by their zero bytes, valid UTF-8, the charset an HTML page
 * declares, and at last a statistical guess. Never fails: undecodable bytes become U+FFFD.
 */
export async function decodeText(bytes: Uint8Array): Promise<string> {
  const wide = wideEncoding(bytes);
  if (wide === 'utf-32le' || wide === 'utf-32be') return decodeUtf32(bytes, wide === 'utf-32le');
  if (wide) return new TextDecoder(wide).decode(bytes);
  const utf8 = strictUtf8(bytes);
  if (utf8 !== null) return utf8;
  const label = declaredCharset(bytes) ?? (await guessedCharset(bytes));
  return new TextDecoder(label).decode(bytes);
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
  const candidates = analyse(bytes.subarray(0, detectionBytes)).filter(({ name }) => !name.startsWith('UTF-'));
  return candidates.map(({ name }) => name).find(isSupported) ?? 'windows-1252';
}

/** A damaged UTF-8 file is still UTF-8: few replacements among the decoded characters beyond ASCII. */
function mostlyUtf8(bytes: Uint8Array): boolean {
  const text = new TextDecoder('utf-8').decode(bytes.subarray(0, detectionBytes));
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
