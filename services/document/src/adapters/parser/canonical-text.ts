// Every control character but tab and line feed; also the byte order mark, which is no text.
const unwanted = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufeff\ufffe\uffff]/g;

/** Text as it may be stored: well-formed, `\n` line ends, no control characters but tab and line feed. */
export function canonicalText(raw: string): string {
  return raw
    .replace(/\r\n?|[\u0085\u2028\u2029]/g, '\n')
    .replace(unwanted, '')
    .toWellFormed();
}
