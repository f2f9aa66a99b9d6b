import { RagmeshError, isRagmeshError } from '@ragmesh/errors';
import {
  maySpeakOfPdf,
  mediaTypes,
  officeFormat,
  sniffContainer,
  sniffedBytes,
  textualFormat,
} from '../../domain/media-type.js';
import type { Format, TextualFormat } from '../../domain/media-type.js';
import type { ParsedDocument } from '../../domain/parsed-document.js';
import type { ContentLimits, Conversion, Converter } from './converters/converter.js';
import { DocumentText } from './document-text.js';

export interface DocumentSource {
  readonly bytes: Buffer;
  readonly fileName?: string;
  /** It is UTF-8 and stays as it is, whatever format it looks like. */
  readonly isPlainText?: boolean;
}

/**
 * Reads a file of any supported format. Converters are loaded when first needed, so a text file never pays for PDF.
 * @throws `DOCUMENT.EMPTY`, `ENCRYPTED`, `CORRUPT`, `NO_TEXT`, `UNSUPPORTED` or `LIMIT_EXCEEDED`.
 */
export async function parseDocument(source: DocumentSource, limits: ContentLimits): Promise<ParsedDocument> {
  const { bytes } = source;
  if (bytes.length === 0) throw empty();
  const output = new DocumentText(limits.maxCharacters);
  if (source.isPlainText) return convertTextual('text', bytes.toString(), output, limits);
  switch (sniffContainer(bytes.subarray(0, sniffedBytes))) {
    case 'pdf':
      return parsePdf(source, output, limits);
    case 'zip':
      return parseOffice(bytes, output, limits);
    case 'office-97':
      throw office97(bytes);
    case 'binary':
      throw new RagmeshError('DOCUMENT.UNSUPPORTED', 'The file is in a binary format that is not supported.');
    case 'textual':
      return parseTextual(source, output, limits);
  }
}

async function parsePdf(source: DocumentSource, output: DocumentText, limits: ContentLimits): Promise<ParsedDocument> {
  const { convertPdf } = await import('./converters/pdf.converter.js');
  const { bytes } = source;
  try {
    return finish('pdf', await convertPdf(new Uint8Array(bytes), output, limits), output);
  } catch (error) {
    const isDamaged = isRagmeshError(error) && error.code === 'DOCUMENT.CORRUPT';
    if (!isDamaged || !maySpeakOfPdf(bytes)) throw error;
    return parseTextual(source, new DocumentText(limits.maxCharacters), limits);
  }
}

async function parseOffice(bytes: Buffer, output: DocumentText, limits: ContentLimits): Promise<ParsedDocument> {
  const { ZipArchive } = await import('./zip-archive.js');
  const archive = await ZipArchive.open(bytes, limits);
  const format = officeFormat(archive.names);
  if (!format) throw new RagmeshError('DOCUMENT.UNSUPPORTED', 'The file is an archive, not a document.');
  const convert = {
    docx: async () => (await import('./converters/docx.converter.js')).convertDocx,
    pptx: async () => (await import('./converters/pptx.converter.js')).convertPptx,
    xlsx: async () => (await import('./converters/xlsx.converter.js')).convertXlsx,
  }[format];
  return finish(format, await (await convert())(archive, output, limits), output);
}

const textualConverters: Record<TextualFormat, () => Promise<Converter<string>>> = {
  html: async () => (await import('./converters/html.converter.js')).convertHtml,
  markdown: async () => (await import('./converters/markdown.converter.js')).convertMarkdown,
  csv: async () => (await import('./converters/csv.converter.js')).convertCsv,
  json: async () => (await import('./converters/json.converter.js')).convertJson,
  text: async () => (await import('./converters/text.converter.js')).convertText,
};

async function parseTextual(
  { bytes, fileName }: DocumentSource,
  output: DocumentText,
  limits: ContentLimits,
): Promise<ParsedDocument> {
  const { decodeText } = await import('./text-decoder.js');
  const text = (await decodeText(bytes)).replace(/^\ufeff/, '');
  return convertTextual(textualFormat(text, fileName), text, output, limits);
}

async function convertTextual(
  format: TextualFormat,
  text: string,
  output: DocumentText,
  limits: ContentLimits,
): Promise<ParsedDocument> {
  const convert = await textualConverters[format]();
  const conversion = await convert(text, output, limits);
  if (output.isEmpty) throw empty();
  return finish(format, conversion, output);
}

function finish(format: Format, conversion: Conversion, output: DocumentText): ParsedDocument {
  if (output.isEmpty) {
    throw new RagmeshError('DOCUMENT.NO_TEXT', 'The document has no text layer, only images or empty pages.');
  }
  return { mediaType: mediaTypes[format], ...conversion, text: output.toString(), blocks: output.blocks };
}

/** Encrypted OOXML is a compound file with a stream of this name; any other compound file is Office 97 or alike. */
function office97(bytes: Buffer): RagmeshError {
  if (bytes.includes(Buffer.from('EncryptedPackage', 'utf16le'))) {
    return new RagmeshError('DOCUMENT.ENCRYPTED', 'The document is protected by a password.');
  }
  return new RagmeshError(
    'DOCUMENT.UNSUPPORTED',
    'Office 97–2003 files are not supported; save it as DOCX, PPTX or XLSX.',
  );
}

function empty(): RagmeshError {
  return new RagmeshError('DOCUMENT.EMPTY', 'The document has no content.');
}
