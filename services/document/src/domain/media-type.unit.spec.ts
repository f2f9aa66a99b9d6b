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

describe('UTF-16 without a mark', () => {
  const texts = {
    Russian: 'Договор вступает в силу 1 марта 2024 года, если стороны не решили иначе.',
    'a Russian word': 'Привет',
    Greek: 'Η σύμβαση αρχίζει να ισχύει την 1η Μαρτίου.',
    Hebrew: 'החוזה נכנס לתוקף ב-1 במרץ, אלא אם הצדדים החליטו אחרת.',
    Arabic: 'يدخل العقد حيز التنفيذ في الأول من مارس، ما لم يقرر الطرفان خلاف ذلك.',
    Hindi: 'यह अनुबंध एक मार्च से लागू होगा, जब तक पक्ष अन्यथा निर्णय न लें।',
    Chinese: '本合同自二〇二四年三月一日起生效，除非双方另有约定。任何一方可以提前三十日书面通知对方解除本合同。',
    Japanese: 'この契約は、当事者が別段の定めをしない限り、三月一日に効力を生じる。一方の当事者は解除できる。',
    Korean: '이 계약은 당사자가 달리 정하지 않는 한 삼월 일일에 효력이 발생합니다. 각 당사자는 해지할 수 있습니다.',
  };
  it.each(Object.entries(texts))('is text in %s, in either order of bytes', (_, text) => {
    const little = bytes(text.repeat(text.length > 10 ? 80 : 1), 'utf16le');
    for (const [encoding, file] of [['utf-16le', little], ['utf-16be', Buffer.from(little).swap16()]] as const) {
      expect([sniffContainer(file), wideEncoding(file)]).toEqual(['textual', encoding]);
    } // prettier-ignore
  });

  const numbers = Array.from({ length: 1024 }, (_, index) => ((index * 7919) % 1024) / 1024);
  const shorts = (of: (value: number) => number) => Buffer.from(Uint16Array.from(numbers, of).buffer);
  it.each([
    ['noise', Buffer.from(numbers.map((value) => (value * 99_991) & 255))],
    ['floating-point numbers', Buffer.from(Float32Array.from(numbers).buffer)],
    ['small floating-point numbers', shorts((value) => 0x3800 + value * 0x600)],
    ['sound', shorts((value) => Math.round(2000 * Math.sin(40 * value)))],
    ['readings where Cyrillic is', shorts((value) => 0x0410 + value * 64)],
    ['readings where Chinese is', shorts((value) => 0x4e00 + value * 0x4000)],
    ['a table of offsets', Buffer.from(Uint32Array.from(numbers, (value) => value * 100_000).buffer)],
    ['a table of lengths', Buffer.from(Uint32Array.from(numbers, (value) => value * 200).buffer)],
    ['short lengths', shorts((value) => value * 200)],
    ['words between zeros', bytes('wörds of it.\0and more of them.\0'.repeat(50), 'latin1')],
    ['words of UTF-8 between zeros', bytes('слова.\0и другие слова.\0'.repeat(50), 'utf8')],
    ['letters among control codes', bytes('Привет\u0001\u0002мир\u0003\u0004'.repeat(50), 'utf16le')],
  ])('is not made of %s', (_, file) => {
    expect([sniffContainer(file), wideEncoding(file)]).toEqual(['binary', null]);
  }); // prettier-ignore

  it('is not made of Shift_JIS that ends as DOS ended files', () => {
    const lines = '202093fa967b8cea82cc95b68e9a97f182f00d0a'.repeat(20);
    const file = Buffer.from(`${lines}1a`, 'hex');
    expect([sniffContainer(file), wideEncoding(file)]).toEqual(['textual', null]);
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
