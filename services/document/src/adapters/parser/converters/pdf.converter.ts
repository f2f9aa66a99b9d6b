import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { RagmeshError } from '@ragmesh/errors';
import type { PDFDocumentProxy, TextItem } from 'pdfjs-dist/types/src/display/api.js';
import { limitExceeded } from '../document-text.js';
import { corrupt } from '../zip-archive.js';
import type { Converter } from './converter.js';
import { linesOf } from './pdf-lines.js';
import { PdfParagraphs } from './pdf-paragraphs.js';
import { inReadingOrder } from './pdf-reading-order.js';

/** Text layer of a PDF page by page; damaged cross-reference tables are repaired, unreadable pages are passed over. */
export const convertPdf: Converter<Uint8Array> = async (bytes, output, limits) => {
  const document = await open(bytes);
  try {
    if (document.numPages > limits.maxPages) throw limitExceeded('pages', limits.maxPages);
    const paragraphs = new PdfParagraphs(output);
    let readable = 0;
    for await (const { page, items } of pagesOf(document)) {
      readable += 1;
      paragraphs.addPage(inReadingOrder(linesOf(items)), page);
    }
    if (readable === 0) throw corrupt('None of its pages can be read.');
    return { title: await titleOf(document), pages: document.numPages };
  } finally {
    await document.loadingTask.destroy();
  }
};

async function open(bytes: Uint8Array): Promise<PDFDocumentProxy> {
  const { getDocument, VerbosityLevel } = await import('pdfjs-dist/legacy/build/pdf.mjs');
  const folder = dirname(createRequire(import.meta.url).resolve('pdfjs-dist/package.json'));
  const task = getDocument({
    data: bytes,
    verbosity: VerbosityLevel.ERRORS,
    disableFontFace: true,
    useSystemFonts: false,
    useWasm: false,
    cMapUrl: join(folder, 'cmaps') + sep,
    cMapPacked: true,
    standardFontDataUrl: join(folder, 'standard_fonts') + sep,
  });
  return task.promise.catch((error: unknown) => {
    if (error instanceof Error && error.name === 'PasswordException') {
      throw new RagmeshError('DOCUMENT.ENCRYPTED', 'The PDF is protected by a password.');
    }
    throw corrupt('It cannot be opened as a PDF.', error);
  });
}

async function* pagesOf(document: PDFDocumentProxy): AsyncGenerator<{ page: number; items: TextItem[] }> {
  for (let page = 1; page <= document.numPages; page += 1) {
    const items = await textItems(document, page);
    if (items) yield { page, items };
  }
}

/** Null when the page is damaged: the rest of the document is still worth reading. */
async function textItems(document: PDFDocumentProxy, number: number): Promise<TextItem[] | null> {
  try {
    const page = await document.getPage(number);
    const { items } = await page.getTextContent();
    page.cleanup();
    return items.filter((item) => 'str' in item);
  } catch {
    return null;
  }
}

async function titleOf(document: PDFDocumentProxy): Promise<string | null> {
  const metadata = await document.getMetadata().catch(() => null);
  const title = (metadata?.info as { Title?: unknown } | undefined)?.Title;
  return (typeof title === 'string' && title.trim().slice(0, 500).toWellFormed()) || null;
}
