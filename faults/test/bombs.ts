import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { contentTypes, docxOf, relationships, zipOf } from '../../services/document/test/zip.builder.js';

/** A small file that wants to become large, endless, or more than a file. */
export interface Bomb {
  readonly what: string;
  readonly name: string;
  readonly bytes: Buffer;
  /** How it ends; `ready` for one whose charge is simply not read. */
  readonly ends: RegExp;
}

const MEGABYTE = 1024 * 1024;
const laughs = (levels: number): string =>
  Array.from({ length: levels }, (_, n) => `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`).join('');

/** A PDF of these objects, numbered from 1, the first its catalogue; its cross-references must be found by whoever reads it. */
const pdfOf = (...objects: (string | Buffer)[]): Buffer => pdfWith(objects);
const pdfWith = (objects: readonly (string | Buffer)[]): Buffer =>
  Buffer.concat([
    Buffer.from('%PDF-1.7\n'),
    ...objects.flatMap((object, index) => [
      Buffer.from(`${index + 1} 0 obj\n`),
      Buffer.from(object),
      Buffer.from('\nendobj\n'),
    ]),
    Buffer.from(`trailer << /Root 1 0 R /Size ${objects.length + 1} >>\n%%EOF`),
  ]);
const CATALOGUE = '<< /Type /Catalog /Pages 2 0 R >>';
const stream = (fields: string, bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`<< ${fields} /Length ${bytes.length} >>\nstream\n`), bytes, Buffer.from('\nendstream')]);
const page = (contents: string): string =>
  `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Resources << >> /Contents ${contents} >>`;
const PAGES = '<< /Type /Pages /Kids [3 0 R] /Count 1 >>';

const nested = (depth: number): Buffer =>
  depth === 0
    ? Buffer.alloc(20 * MEGABYTE)
    : zipOf([contentTypes, { name: `${depth}.zip`, content: nested(depth - 1) }]);
const external = (target: string): Buffer =>
  docxOf('<w:p><w:r><w:t>Only words.</w:t></w:r><w:r><w:drawing><a:blip r:link="r1"/></w:drawing></w:r></w:p>', [
    { name: 'word/_rels/document.xml.rels', content: relationships({ r1: { type: 'image', target } }) },
  ]);

const LIMIT = /^DOCUMENT\.LIMIT_EXCEEDED$/;
const BROKEN = /^DOCUMENT\.(CORRUPT|NO_TEXT|UNSUPPORTED|EMPTY)$/;

// prettier-ignore
const archives: readonly Bomb[] = [
  { what: 'a part of 200 MB in 200 kB', name: 'a.docx', bytes: docxOf('', [{ name: 'x', content: Buffer.alloc(200 * MEGABYTE) }]), ends: LIMIT },
  { what: 'archives in archives', name: 'a.docx', bytes: docxOf('<w:p/>', [{ name: 'in.zip', content: nested(3) }]), ends: BROKEN },
  { what: '60,000 entries', name: 'a.docx', bytes: zipOf([contentTypes, ...Array.from({ length: 60_000 }, (_, n) => ({ name: `${n}`, content: '' }))]), ends: LIMIT },
  { what: 'a directory that lies of its length', name: 'a.docx', bytes: zipOf([contentTypes], 65_000), ends: LIMIT },
  { what: 'a name that leaves the archive', name: 'a.docx', bytes: docxOf('<w:p/>', [{ name: '../../../tmp/ragmesh-slip', content: 'x' }]), ends: BROKEN },
  { what: 'a link out of the archive', name: 'a.docx', bytes: docxOf('<w:p/>', [{ name: 'l', content: '/etc/passwd', mode: 0o120777 }]), ends: BROKEN },
  { what: 'folders without end', name: 'a.docx', bytes: docxOf('<w:p/>', [{ name: `${'a/'.repeat(5_000)}b`, content: 'x' }]), ends: LIMIT },
  { what: 'an image that is a file of the server', name: 'a.docx', bytes: external('file:///etc/passwd'), ends: /^ready$/ },
  { what: 'an image of the own network', name: 'a.docx', bytes: external('http://169.254.169.254/latest/'), ends: /^ready$/ },
  { what: 'gzip of 50 MB', name: 'a.gz', bytes: gzipSync(Buffer.alloc(50 * MEGABYTE)), ends: BROKEN },
];

// prettier-ignore
const markup: readonly Bomb[] = [
  {
    what: 'a billion laughs',
    name: 'a.docx',
    bytes: zipOf([
      contentTypes,
      { name: 'word/document.xml', content: `<!DOCTYPE d [<!ENTITY l0 "ha">${laughs(10)}]><w:document><w:body><w:p><w:r><w:t>&l10;</w:t></w:r></w:p></w:body></w:document>` },
    ]),
    ends: /^(ready|DOCUMENT\.NO_TEXT)$/,
  },
  { what: 'paragraphs in paragraphs', name: 'a.docx', bytes: docxOf('<w:p>'.repeat(200_000)), ends: LIMIT },
  { what: 'elements in elements', name: 'a.html', bytes: Buffer.from(`${'<div>'.repeat(200_000)}deep`), ends: LIMIT },
  { what: 'lists in lists', name: 'a.json', bytes: Buffer.from('['.repeat(500_000)), ends: /^(ready|DOCUMENT\.\w+)$/ },
  { what: 'a line of 5 MB', name: 'a.md', bytes: Buffer.from(`${'*_`['.repeat(MEGABYTE)}`), ends: /^(ready|DOCUMENT\.\w+)$/ },
  { what: 'quotes that never end', name: 'a.csv', bytes: Buffer.from(`a,b\n${'"'.repeat(2 * MEGABYTE + 1)}`), ends: /^(ready|DOCUMENT\.\w+)$/ },
];

const bomb = deflateSync(deflateRawSync(Buffer.alloc(100 * MEGABYTE)));
// prettier-ignore
const pdfs: readonly Bomb[] = [
  { what: 'a content stream of 300 MB', name: 'a.pdf', bytes: pdfOf(CATALOGUE, PAGES, page('4 0 R'), stream('/Filter /FlateDecode', deflateSync(Buffer.alloc(300 * MEGABYTE, ' ')))), ends: /^DOCUMENT\.(NO_TEXT|LIMIT_EXCEEDED|CORRUPT)$/ },
  { what: 'a stream deflated twice', name: 'a.pdf', bytes: pdfOf(CATALOGUE, PAGES, page('4 0 R'), stream('/Filter [/FlateDecode /FlateDecode]', bomb)), ends: /^DOCUMENT\.(NO_TEXT|LIMIT_EXCEEDED|CORRUPT)$/ },
  { what: 'pages that are their own parents', name: 'a.pdf', bytes: pdfOf(CATALOGUE, '<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>'), ends: BROKEN },
  { what: 'a million pages that are not there', name: 'a.pdf', bytes: pdfOf(CATALOGUE, '<< /Type /Pages /Kids [] /Count 1000000 >>'), ends: /^DOCUMENT\.(LIMIT_EXCEEDED|CORRUPT|NO_TEXT)$/ },
  { what: '300,000 objects', name: 'a.pdf', bytes: pdfWith([CATALOGUE, PAGES, page('[]'), ...Array.from({ length: 300_000 }, () => '<<>>')]), ends: /^DOCUMENT\.(NO_TEXT|LIMIT_EXCEEDED|CORRUPT)$/ },
  { what: 'lists in lists in a page', name: 'a.pdf', bytes: pdfOf(CATALOGUE, PAGES, page('['.repeat(100_000))), ends: /^DOCUMENT\.\w+$/ },
  { what: 'cross-references in a circle', name: 'a.pdf', bytes: Buffer.from('%PDF-1.7\nxref\n0 1\n0000000000 65535 f \ntrailer << /Size 1 /Prev 9 /Root 1 0 R >>\nstartxref\n9\n%%EOF'), ends: BROKEN },
  { what: 'forms that draw themselves', name: 'a.pdf', bytes: pdfOf(CATALOGUE, PAGES, page('5 0 R').replace('<< >>', '<< /XObject << /A 4 0 R >> >>'), stream('/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /A 4 0 R >> >>', Buffer.from('/A Do '.repeat(50))), stream('', Buffer.from('/A Do'))), ends: /^DOCUMENT\.\w+$/ },
];

export const bombs: readonly Bomb[] = [...archives, ...markup, ...pdfs];
