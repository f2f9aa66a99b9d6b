import { expect, it } from '@jest/globals';
import { parseDocument } from '../parse-document.js';
import { defaultParserLimits } from '../parser-limits.js';

/** Lines as they are read: size, distances from the left and from the bottom of the page as shown, text. */
const lines = [
  [20, 50, 500, 'Herons of the marsh'],
  [10, 50, 460, 'The grey heron stands still for hours before it'],
  [10, 50, 448, 'strikes at what swims by.'],
  [10, 50, 400, 'Bird'],
  [10, 200, 400, 'Length'],
  [10, 50, 388, 'Bittern'],
  [10, 200, 388, '75 cm'],
] as const;
const read = [
  ['heading', 'Herons of the marsh'],
  ['paragraph', 'The grey heron stands still for hours before it strikes at what swims by.'],
  ['table', 'Bird | Length\nBittern | 75 cm'],
];

/** How text must be drawn so that it is level once the page is turned clockwise by so many degrees. */
const drawn: Record<number, (left: number, up: number) => string> = {
  0: (left, up) => `1 0 0 1 ${left} ${up}`,
  90: (left, up) => `0 1 -1 0 ${600 - up} ${left}`,
  180: (left, up) => `-1 0 0 -1 ${600 - left} ${800 - up}`,
  270: (left, up) => `0 -1 1 0 ${up} ${800 - left}`,
};

/** @param aside drawn in the middle of a paragraph. */
function pdfOf(rotate: number, drawnFor: number, aside = ''): Buffer {
  const content = lines.map(([size, left, up, text]) => `/F ${size} Tf ${drawn[drawnFor]!(left, up)} Tm (${text}) Tj`);
  const stream = `BT ${content.toSpliced(2, 0, aside).join('\n')} ET`;
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Rotate ${rotate} /Contents 4 0 R
      /Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>`,
    `<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`,
  ];
  const body = objects.map((object, index) => `${index + 1} 0 obj\n${object}\nendobj\n`).join('');
  return Buffer.from(`%PDF-1.7\n${body}trailer << /Root 1 0 R /Size 5 >>\n%%EOF`);
}

const blocks = async (bytes: Buffer) => {
  const document = await parseDocument({ bytes }, defaultParserLimits);
  return document.blocks.map(({ kind, start, end }) => [kind, document.text.slice(start, end)]);
};

it.each([0, 90, 180, 270])('a PDF page turned by %i degrees reads as it is shown', async (rotate) => {
  expect(await blocks(pdfOf(rotate, rotate))).toEqual(read);
});

it.each([90, 180, 270])(
  'a PDF page whose text lies turned by %i degrees reads as if it stood upright',
  async (turned) => {
    expect(await blocks(pdfOf(0, turned))).toEqual(read);
  },
);

it('a note along the side of a PDF page stays out of the lines it stands across', async () => {
  const note = '/F 10 Tf 0 -1 1 0 376 700 Tm (printed on recycled paper) Tj';
  expect(await blocks(pdfOf(0, 0, note))).toEqual([...read, ['paragraph', 'printed on recycled paper']]);
});

it.each([
  'HTTP/1.1 200 OK\nContent-Type: application/pdf\n\n',
  'junk '.repeat(100),
  '\ufeff \n',
  '\0\x01\x02'.repeat(99),
])('a PDF is read behind %j', async (before) => {
  expect(await blocks(Buffer.concat([Buffer.from(before), pdfOf(0, 0)]))).toEqual(read);
});

it.each([
  ['readme.txt', 'text/plain', 'PDF files start with `%PDF-1.7`, and end with `%%EOF`.'],
  ['readme.md', 'text/markdown', '# PDF\n\nSuch files start with `%PDF-1.7`.'],
  ['page.html', 'text/html', '<html><body><p>PDF files start with %PDF-1.7 trailer 1 0 obj.</p></body></html>'],
  ['formats.csv', 'text/csv', 'format,first bytes\nPDF,%PDF-1.7\nZip,PK\n'],
  ['', 'text/plain', 'PDF files start with\n%PDF-1.7\nand then 1 0 obj << /Type /Catalog >> endobj'],
])('a text that speaks of the first bytes of a PDF is no damaged PDF: %s', async (fileName, mediaType, text) => {
  const document = await parseDocument({ bytes: Buffer.from(text), fileName }, defaultParserLimits);
  expect(document).toMatchObject({ mediaType, text: expect.stringContaining('%PDF-1.7') as unknown });
});

it.each([
  ['that begins as one', Buffer.from('\ufeff\n%PDF-1.7\nno pdf at all')],
  [
    'with binary data',
    Buffer.concat([Buffer.from('HTTP/1.1 200 OK\n\n%PDF-1.7\n'), Buffer.alloc(9_000, ' '), Buffer.alloc(9_000, 1)]),
  ],
  ['in a text of control codes', Buffer.from('{\\rtf1 It starts with %PDF-1.7}')],
])('a damaged PDF %s is not taken for text', async (_, bytes) => {
  await expect(blocks(bytes)).rejects.toMatchObject({ code: 'DOCUMENT.CORRUPT' });
});
