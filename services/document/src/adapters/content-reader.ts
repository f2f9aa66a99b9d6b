import { Injectable } from '@nestjs/common';
import { RagmeshError, isRagmeshError } from '@ragmesh/errors';
import type { SagaError } from '@ragmesh/saga';
import type { ChunkCut, ChunkPosition } from '../domain/chunk-cursor.js';
import { chunkPage } from '../domain/chunk-page.js';
import type { Span } from '../domain/kept-span.js';
import { BlobStore } from './blob-store.js';
import { ChunkRepository } from './chunk.repository.js';
import { DocumentRepository } from './document.repository.js';
import type { ShownDocument } from './document.rows.js';
import { TextExtractor } from './text-extractor.js';

/** Content of a document: the uploaded bytes, or the text that offsets refer to. */
export interface Content {
  readonly mediaType: string;
  readonly fileName: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly pieces: AsyncIterable<Buffer>;
}

export interface ChunkPage {
  readonly cut: ChunkCut;
  /** Each with its text, in order. */
  readonly chunks: readonly { readonly ordinal: number; readonly span: Span; readonly text: string }[];
  readonly nextOrdinal: number | undefined;
}

/** How often what readers see may change while it is read before that is told to the caller. */
const MOST_READINGS = 4;

interface Reading<T> {
  readonly result: T;
  /** False: some of it was not there any more. */
  readonly isWhole: boolean;
}

/** Reads what readers see: the live version; before there is one, the newest upload's original bytes. */
@Injectable()
export class ContentReader {
  constructor(
    private readonly documents: DocumentRepository,
    private readonly chunks: ChunkRepository,
    private readonly blobs: BlobStore,
    private readonly extractor: TextExtractor,
  ) {}

  /** The file as it was uploaded. */
  async original(tenant: string, id: string): Promise<Content> {
    return this.#read(tenant, id, async ({ shown: upload }) => {
      // A deletion takes the blobs away before the rows.
      if (!upload?.blob_key) throw gone(id);
      // Text that was sent as such is UTF-8; a file may be in any encoding.
      const charset = upload.kind === 'text' ? '; charset=utf-8' : '';
      const type = upload.kind === 'chunks' ? 'application/json' : `${upload.media_type}${charset}`; // earlier releases stored text/plain
      return whole(await this.#content(tenant, upload.blob_key, type, upload.file_name));
    });
  }

  /** The canonical text. @throws RagmeshError DOCUMENT.NOT_READY before a version is live, DOCUMENT.FAILED when none will be. */
  async text(tenant: string, id: string): Promise<Content> {
    return this.#read(tenant, id, async (document) => {
      const { key, fileName } = liveText(document);
      return whole(await this.#content(tenant, key, 'text/plain; charset=utf-8', fileName));
    });
  }

  /**
   * Fewer chunks come than `limit` where they would not fit into a message.
   * @throws RagmeshError REQUEST.INVALID naming `cursor` when readers see another cut by now.
   */
  async chunkPage(tenant: string, id: string, from: ChunkPosition | undefined, limit: number): Promise<ChunkPage> {
    return this.#read(tenant, id, async (document) => {
      const { key, total, version } = liveText(document);
      const { generation } = document;
      const { ordinal: first, cut } = from ?? { ordinal: 0, cut: { version, generation } };
      if (cut.version !== version || cut.generation !== generation) throw cutAnew();
      const spans = await this.chunks.read({ tenant, documentId: id, version, generation }, { from: first, limit });
      const text = await this.extractor.readText(tenant, key);
      const wanted = spans.map((span, index) => ({
        ...{ ordinal: first + index, span, text: text.slice(span[0], span[1]) },
        metadata: span[4],
      }));
      return {
        result: { cut: { version, generation }, ...chunkPage(wanted, { first, total }) },
        isWhole: spans.length >= Math.min(limit, total - first),
      };
    });
  }

  /**
   * An update or a reindex removes what readers saw as it shows what they see from then on. What goes while it is read is read
   * anew, as it is then; what nothing took the place of is missing.
   */
  async #read<T>(tenant: string, id: string, read: (document: ShownDocument) => Promise<Reading<T>>): Promise<T> {
    let document = await this.documents.getShown(tenant, id);
    for (let reading = 1; ; reading += 1) {
      const outcome = await read(document).catch((error: unknown) => {
        if (!isRagmeshError(error) || error.code !== 'BLOB.NOT_FOUND') throw error;
        return { error, isWhole: false } as const;
      });
      if (outcome.isWhole && 'result' in outcome) return outcome.result;
      const later = await this.documents.getShown(tenant, id);
      if (reading === MOST_READINGS || isSame(document, later)) {
        if ('error' in outcome) throw outcome.error;
        return outcome.result;
      }
      document = later;
    }
  }

  async #content(tenant: string, key: string, mediaType: string, fileName: string): Promise<Content> {
    const bytes = await this.blobs.size(tenant, key);
    return { mediaType, fileName, bytes, sha256: key, pieces: this.blobs.read(tenant, key) };
  }
}

const whole = <T>(result: T): Reading<T> => ({ result, isWhole: true });

const isSame = (one: ShownDocument, other: ShownDocument): boolean =>
  one.shown?.version === other.shown?.version && one.generation === other.generation;

function liveText({ id, status, error, live_version: live, shown }: ShownDocument): {
  readonly version: number;
  readonly key: string;
  readonly fileName: string;
  readonly total: number;
} {
  if (live === null) throw status === 'failed' ? failed(id, error) : notReady(id, status);
  if (!shown) throw gone(id);
  const { text_blob_key: key, file_name: fileName, chunks: total } = shown;
  if (!key) throw new RagmeshError('BLOB.NOT_FOUND', 'The text of this document is missing.', { id });
  return { version: live, key, fileName, total };
}

const notReady = (id: string, status: string): RagmeshError =>
  new RagmeshError('DOCUMENT.NOT_READY', `Document "${id}" is ${status} and has no text yet.`, { id, status });

/** Whoever waits for its text would wait for ever. */
const failed = (id: string, error: SagaError | null): RagmeshError =>
  new RagmeshError(
    'DOCUMENT.FAILED',
    `Document "${id}" has failed and has no text. ${error?.message ?? ''}`.trimEnd(),
    {
      id,
      ...(error ? { reason: error.code } : {}),
    },
  );

const gone = (id: string): RagmeshError =>
  new RagmeshError('BLOB.NOT_FOUND', 'The content of this document is gone.', { id });

const cutAnew = (): RagmeshError =>
  new RagmeshError(
    'REQUEST.INVALID',
    'The document was cut into other chunks since the page this cursor is from: begin the list again, without a cursor.',
    { field: 'cursor' },
  );
