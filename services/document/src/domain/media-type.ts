import { controlBytes, wideEncoding } from './wide-encoding.js';

/** Every type the document service reads. */
export const mediaTypes = {
  pdf: 'application/pdf',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  pptx: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  html: 'text/html',
  markdown: 'text/markdown',
  csv: 'text/csv',
  json: 'application/json',
  text: 'text/plain',
} as const;

export type Format = keyof typeof mediaTypes;
export type TextualFormat = 'html' | 'markdown' | 'csv' | 'json' | 'text';

/** What the first bytes say. `office-97` is the old compound file, which also wraps encrypted OOXML. */
export type Container = 'pdf' | 'zip' | 'office-97' | 'binary' | 'textual';

/** Bytes {@link sniffContainer} looks at; a PDF header may follow up to a kibibyte of junk. */
export const sniffedBytes = 4096;

const binarySignatures = [
  [0x7f, 0x45, 0x4c, 0x46], // ELF
  [0x89, 0x50, 0x4e, 0x47], // PNG
  [0xff, 0xd8, 0xff], // JPEG
  [0x47, 0x49, 0x46, 0x38], // GIF
  [0x1f, 0x8b, 0x08], // gzip
  [0x37, 0x7a, 0xbc, 0xaf], // 7z
  [0x52, 0x61, 0x72, 0x21], // RAR
  [0x28, 0xb5, 0x2f, 0xfd], // Zstandard
  [0x7b, 0x5c, 0x72, 0x74, 0x66], // RTF: textual, but its words are hidden in control codes
];

/** Tells containers apart by their signature; a name plays no part. */
export function sniffContainer(head: Uint8Array): Container {
  const startsWith = (signature: readonly number[]) => isSigned(head, signature);
  if (startsWith([0x50, 0x4b, 0x03, 0x04]) || startsWith([0x50, 0x4b, 0x05, 0x06])) return 'zip';
  if (startsWith([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1])) return 'office-97';
  if (latin1(head.subarray(0, 1024)).includes('%PDF-')) return 'pdf';
  return isBinary(head.subarray(0, sniffedBytes)) ? 'binary' : 'textual';
}

/** Whether a file with a PDF header that is no PDF may be a text that speaks of one: it begins otherwise, and is text throughout. */
export function maySpeakOfPdf(file: Uint8Array): boolean {
  return !/^(?:\xef\xbb\xbf)?\s*%PDF-/.test(latin1(file.subarray(0, 1024))) && !isBinary(file);
}

/** The OOXML format whose main part is among the names of a zip file; null for any other zip. */
export function officeFormat(entryNames: Iterable<string>): 'docx' | 'pptx' | 'xlsx' | null {
  const names = new Set(entryNames);
  if (!names.has('[Content_Types].xml')) return null;
  for (const name of names) {
    if (/^word\/document\d*\.xml$/.test(name)) return 'docx';
    if (/^ppt\/presentation\d*\.xml$/.test(name)) return 'pptx';
    if (/^xl\/workbook\d*\.xml$/.test(name)) return 'xlsx';
  }
  return null;
}

/** Content decides first; the extension only settles what content leaves open. */
export function textualFormat(text: string, fileName = ''): TextualFormat {
  const head = text.slice(0, sniffedBytes).trimStart();
  const hint = hintedFormat(fileName);
  if (/^<(?:!doctype\s+html|html|head|body)[\s>]/i.test(withoutProlog(head))) return 'html';
  if (/^[[{]/.test(head) && hint !== 'markdown' && isJson(text)) return 'json';
  if (hint) return hint;
  if (/^<(?:div|p|table|h[1-6]|ul|ol|section|article|main|title|meta)[\s>]/i.test(head)) return 'html';
  if (looksLikeCsv(head)) return 'csv';
  return looksLikeMarkdown(text.slice(0, 65_536)) ? 'markdown' : 'text';
}

/** XML declaration and comments may stand before the first element. */
function withoutProlog(head: string): string {
  for (let rest = head; ; rest = rest.trimStart()) {
    const close = rest.startsWith('<!--') ? '-->' : rest.startsWith('<?xml') ? '?>' : null;
    if (close === null) return rest;
    const end = rest.indexOf(close);
    if (end < 0) return '';
    rest = rest.slice(end + close.length);
  }
}

function hintedFormat(fileName: string): TextualFormat | null {
  const extension = /\.([a-z]+)$/i.exec(fileName)?.[1]?.toLowerCase() ?? '';
  const byExtension: Record<string, TextualFormat> = {
    html: 'html', htm: 'html', xhtml: 'html', md: 'markdown', markdown: 'markdown', csv: 'csv', tsv: 'csv', txt: 'text',
    json: 'json', jsonl: 'json', ndjson: 'json',
  }; // prettier-ignore
  return byExtension[extension] ?? null;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function looksLikeCsv(head: string): boolean {
  const lines = head.split('\n').slice(0, 6).map((line) => line.trim()).filter(Boolean); // prettier-ignore
  if (lines.length < 3) return false;
  return [',', ';', '\t'].some((delimiter) => {
    const counts = lines.slice(0, -1).map((line) => line.split(delimiter).length - 1);
    return (
      counts[0]! >= 2 && counts.every((count) => count === counts[0]) && !lines.some((line) => /[.!?]$/.test(line))
    );
  });
}

function looksLikeMarkdown(text: string): boolean {
  // Bounded repetition: the text is hostile until proven otherwise.
  const signs = [
    /^#{1,6} \S/m,
    /^(?:```|~~~)/m,
    /\[[^\]\n]{1,200}\]\([^)\s]{1,500}\)/,
    /^\|? ?:?-{3,}:? ?\|/m,
    /^[*-] \S/m,
  ];
  return signs.filter((sign) => sign.test(text)).length >= 2;
}

const isSigned = (bytes: Uint8Array, signature: readonly number[]): boolean =>
  signature.every((byte, index) => bytes[index] === byte);

const isBinary = (bytes: Uint8Array): boolean =>
  binarySignatures.some((signature) => isSigned(bytes, signature)) || looksBinary(bytes);

/** Control bytes that no text has, unless it is UTF-16 or UTF-32. */
function looksBinary(head: Uint8Array): boolean {
  const { zeros, others } = controlBytes(head);
  if (others <= head.length * 0.02 && zeros <= Math.max(2, head.length * 0.01)) return false;
  return wideEncoding(head) === null;
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
