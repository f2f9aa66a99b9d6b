import { describe, expect, it } from '@jest/globals';
import { officeFormat, sniffContainer, textualFormat } from './media-type.js';
import { wideEncoding } from './wide-encoding.js';

const bytes = (text: string, encoding: BufferEncoding = 'latin1') => Buffer.from(text, encoding);

describe('sniffContainer', () => {
  it.each([
    ['pdf', bytes('%PDF-1.7\n')],
    ['pdf', bytes(`${'junk '.repeat(50)}%PDF-1.4`)],
    ['zip', bytes('PK\x03\x04rest')],
    ['office-97', Buffer.from('d0cf11e0a1b11ae1', 'hex')],
    ['binary', bytes('\x89PNG\r\n\x1a\n')],
    ['binary', Buffer.from(Array.from({ length: 512 }, (_, index) => index & 255))],
    ['binary', bytes('{\\rtf1 text}')],
    ['textual', bytes('plain words')],
    ['textual', bytes('café', 'utf8')],
    ['textual', bytes('UTF-16 without a mark', 'utf16le')],
    ['textual', bytes('one stray \0 byte in a text')],
    ['textual', bytes('\x1b$B$3$s\x1b(B')],
  ] as const)('finds %s by its bytes', (container, head) => {
    expect(sniffContainer(head)).toBe(container);
  });
});

describe('wideEncoding', () => {
  const utf32 = Buffer.from([...'wide text'].flatMap((character) => [character.charCodeAt(0), 0, 0, 0]));
  it.each([
    ['utf-16le', bytes('some words', 'utf16le')],
    ['utf-16be', bytes('some words', 'utf16le').swap16()],
    ['utf-32le', utf32],
    ['utf-32be', Buffer.from(utf32).swap32()],
    ['utf-16le', bytes('\ufeff漢字', 'utf16le')],
    [null, bytes('ASCII')],
    [null, bytes('漢字', 'utf8')],
  ] as const)('recognises %s', (encoding, head) => {
    expect(wideEncoding(head)).toBe(encoding);
  });
});

describe('officeFormat', () => {
  it('goes by the main part', () => {
    expect(officeFormat(['[Content_Types].xml', 'word/document.xml'])).toBe('docx');
    expect(officeFormat(['[Content_Types].xml', 'ppt/presentation.xml'])).toBe('pptx');
    expect(officeFormat(['[Content_Types].xml', 'xl/workbook.xml'])).toBe('xlsx');
    expect(officeFormat(['META-INF/MANIFEST.MF', 'word/document.xml'])).toBeNull();
  });
});

describe('textualFormat', () => {
  it.each([
    ['html', '<!-- a --> <!DOCTYPE html><p>x', 'page.txt'],
    ['html', '<html><body>x', ''],
    ['json', '{"a": [1, 2]}', 'data.txt'],
    ['text', '{not json', ''],
    ['markdown', '# Title\n\n- item\n- item', ''],
    ['markdown', 'just words', 'a.MD'],
    ['csv', 'a;b;c\n1;2;3\n4;5;6\n', ''],
    ['csv', 'a,b', 'x.csv'],
    ['text', 'One sentence, two parts.\nAnother, like it.\nA third, too.', ''],
    ['text', '# only a comment', 'notes.txt'],
  ] as const)('takes for %s: %j named %j', (format, text, name) => {
    expect(textualFormat(text, name)).toBe(format);
  });

  it('lets the declared type settle what content and name leave open', () => {
    expect(textualFormat('words', '', 'text/markdown; charset=utf-8')).toBe('markdown');
    expect(textualFormat('words', 'a.txt', 'application/pdf')).toBe('text');
  });

  it.each([
    '<!---->'.repeat(600),
    '-'.repeat(100_000),
    '['.repeat(100_000),
    '|'.repeat(100_000),
    `${'#'.repeat(9)}\n`.repeat(9999),
  ])('answers at once for a text made to slow it down (%#)', (text) => {
    const before = process.threadCpuUsage();
    textualFormat(text);
    const { user } = process.threadCpuUsage(before);
    expect(user / 1000).toBeLessThan(500);
  });
});
