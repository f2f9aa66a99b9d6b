import { createHash } from 'node:crypto';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import { RagmeshError } from '@ragmesh/errors';
import type { Delivery } from '@ragmesh/messaging';
import type { DocumentConfig } from '../document.config.js';
import { keptSpan, type Span } from '../domain/kept-span.js';
import { LongText } from '../domain/long-text.js';
import { joinReadyChunks, parseReadyChunks } from '../domain/ready-chunks.js';
import { ShortTurns } from '../domain/short-turns.js';
import { split } from '../domain/splitting/splitter.js';
import { BlobStore, type StagedBlob } from './blob-store.js';
import type { VersionRow } from './document.rows.js';
import { convertText } from './parser/converters/text.converter.js';
import { DocumentText } from './parser/document-text.js';
import { defaultParserLimits } from './parser/parser-limits.js';
import { ParserProcesses, type OpenFile } from './parser/parser-process.js';

/** Up to this size a text is split here: it has no format to read, and a few milliseconds are less than a process costs. */
const SMALL_TEXT_BYTES = 64 * 1024;

/** The text of an upload and where its chunks lie in it. */
export interface ExtractedText {
  readonly text: LongText;
  readonly spans: readonly Span[];
  readonly mediaType: string;
  readonly title: string | null;
  /** Key of the blob that holds `text` as UTF-8. */
  readonly textKey: string;
  /** That blob, when it is not yet published. */
  readonly staged?: StagedBlob;
}

/** Turns stored uploads into text: files in a child process with limits, small texts and ready-made chunks right here. */
@Injectable()
export class TextExtractor implements OnModuleDestroy {
  readonly #parsers: ParserProcesses;

  constructor(
    private readonly blobs: BlobStore,
    @Inject(CONFIG) config: DocumentConfig,
  ) {
    this.#parsers = new ParserProcesses({
      ...defaultParserLimits,
      timeoutMs: config.PARSE_TIMEOUT * 1000,
      memoryBytes: config.PARSE_MEMORY,
      maxPages: config.PARSE_MAX_PAGES,
      maxInflatedBytes: config.PARSE_MAX_INFLATED,
      concurrency: config.PARSE_CONCURRENCY,
    });
  }

  async onModuleDestroy(): Promise<void> {
    await this.#parsers.close();
  }

  /** @param delivery whose handler this is of; it stands aside until it is the file's turn at the parsers. */
  async extract(tenant: string, upload: VersionRow, delivery: Delivery): Promise<ExtractedText> {
    if (upload.kind === 'chunks') return this.#joinChunks(tenant, upload);
    if (upload.kind === 'text' && upload.size_bytes <= SMALL_TEXT_BYTES) return this.#splitText(tenant, upload);
    const outputPath = await this.blobs.temporaryPath();
    const request = {
      fileName: upload.file_name,
      isPlainText: upload.kind === 'text',
      outputPath,
      splitting: { chunkSize: upload.chunk_size, overlap: upload.chunk_overlap },
    };
    await delivery.standAside();
    const open: OpenFile = async (parse) => {
      await delivery.goOn();
      return this.blobs.withFile(tenant, upload.blob_key, parse);
    };
    const parsed = await this.#parsers.parseFrom(open, request, delivery.signal);
    const spans: Span[] = [];
    for await (const chunk of parsed.chunks) spans.push(keptSpan(chunk));
    return { spans, mediaType: parsed.mediaType, title: parsed.title, ...(await this.#stageText(outputPath)) };
  }

  /** The canonical text that offsets refer to. */
  readText(tenant: string, key: string): Promise<LongText> {
    return LongText.decoded(this.blobs.read(tenant, key));
  }

  async #joinChunks(tenant: string, upload: VersionRow): Promise<ExtractedText> {
    const uploaded = await this.readText(tenant, upload.blob_key);
    const { text, spans } = joinReadyChunks(parseReadyChunks(uploaded.toString()));
    const staged = await this.blobs.stage(once(Buffer.from(text)), Number.MAX_SAFE_INTEGER);
    return { text: LongText.of(text), spans, mediaType: 'application/json', title: null, textKey: staged.key, staged };
  }

  async #splitText(tenant: string, upload: VersionRow): Promise<ExtractedText> {
    const output = new DocumentText(defaultParserLimits.maxCharacters);
    const uploaded = await this.readText(tenant, upload.blob_key);
    await convertText(uploaded.toString(), output, defaultParserLimits);
    if (output.isEmpty)
      throw new RagmeshError('DOCUMENT.EMPTY', 'The text has nothing but white space.', { field: 'text' });
    const text = output.toString();
    const options = { chunkSize: upload.chunk_size, overlap: upload.chunk_overlap };
    const turns = new ShortTurns();
    const spans: Span[] = [];
    for (const chunk of split({ text, blocks: output.blocks }, options)) {
      spans.push(keptSpan(chunk));
      await turns.next(); // a text of signs alone takes many times as long as one of words
    }
    const extracted = { text: LongText.of(text), spans, mediaType: 'text/plain', title: null };
    const bytes = Buffer.from(text);
    // Most texts are canonical as they come: then the upload itself is the blob that offsets refer to.
    if (createHash('sha256').update(bytes).digest('hex') === upload.blob_key)
      return { ...extracted, textKey: upload.blob_key };
    const staged = await this.blobs.stage(once(bytes), Number.MAX_SAFE_INTEGER);
    return { ...extracted, textKey: staged.key, staged };
  }

  async #stageText(path: string): Promise<Pick<ExtractedText, 'text' | 'textKey' | 'staged'>> {
    const hash = createHash('sha256');
    let bytes = 0;
    const text = await LongText.decoded(
      tapped(this.blobs.readStaged(path), (piece) => {
        hash.update(piece);
        bytes += piece.length;
      }),
    );
    const sha256 = hash.digest('hex');
    const staged = { path, key: sha256, sha256, bytes, head: Buffer.alloc(0) };
    return { text, textKey: sha256, staged };
  }
}

async function* tapped(pieces: AsyncIterable<Buffer>, look: (piece: Buffer) => void): AsyncGenerator<Buffer> {
  for await (const piece of pieces) {
    look(piece);
    yield piece;
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
