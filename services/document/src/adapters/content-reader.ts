import { Injectable } from '@nestjs/common';
import { RagmeshError } from '@ragmesh/errors';
import { chunkPage } from '../domain/chunk-page.js';
import { BlobStore } from './blob-store.js';
import { ChunkRepository } from './chunk.repository.js';
import { DocumentRepository } from './document.repository.js';
import type { Span, VersionRow } from './document.rows.js';
import { GenerationRepository } from './generation.repository.js';
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
  readonly version: number;
  /** Each with its text, from `first` on. */
  readonly chunks: readonly { readonly ordinal: number; readonly span: Span; readonly text: string }[];
  readonly nextOrdinal: number | undefined;
}

/** Reads what readers see: the live version; before there is one, the newest upload's original bytes. */
@Injectable()
export class ContentReader {
  constructor(
    private readonly documents: DocumentRepository,
    private readonly chunks: ChunkRepository,
    private readonly blobs: BlobStore,
    private readonly extractor: TextExtractor,
    private readonly generations: GenerationRepository,
  ) {}

  /** The file as it was uploaded. */
  async original(tenant: string, id: string): Promise<Content> {
    const document = await this.documents.get(tenant, id);
    const upload = await this.#version(tenant, id, document.live_version ?? document.version);
    // Text that was sent as such is UTF-8; a file may be in any encoding.
    const charset = upload.kind === 'text' ? '; charset=utf-8' : '';
    return this.#content(tenant, upload.blob_key, `${upload.media_type}${charset}`, upload.file_name);
  }

  /** The canonical text. @throws RagmeshError DOCUMENT.NOT_READY before a version is live. */
  async text(tenant: string, id: string): Promise<Content> {
    const { key, fileName } = await this.#liveText(tenant, id);
    return this.#content(tenant, key, 'text/plain; charset=utf-8', fileName);
  }

  /** @param first ordinal of the first chunk wanted. Fewer come than `limit` where they would not fit into a message. */
  async chunkPage(tenant: string, id: string, first: number, limit: number): Promise<ChunkPage> {
    const { version, key, total, collection } = await this.#liveText(tenant, id);
    const place = { tenant, documentId: id, version, generation: await this.generations.live(tenant, collection) };
    const spans = await this.chunks.read(place, { from: first, limit });
    const text = await this.extractor.readText(tenant, key);
    const wanted = spans.map((span, index) => ({
      ...{ ordinal: first + index, span, text: text.slice(span[0], span[1]) },
      metadata: span[4],
    }));
    return { version, ...chunkPage(wanted, { first, total }) };
  }

  async #liveText(
    tenant: string,
    id: string,
  ): Promise<{ version: number; key: string; fileName: string; total: number; collection: string }> {
    const { live_version: live, status, collection } = await this.documents.get(tenant, id);
    if (live === null)
      throw new RagmeshError('DOCUMENT.NOT_READY', `Document "${id}" is ${status} and has no text yet.`, {
        id,
        status,
      });
    const { text_blob_key: key, file_name: fileName, chunks: total } = await this.#version(tenant, id, live);
    if (!key) throw new RagmeshError('BLOB.NOT_FOUND', 'The text of this document is missing.', { id });
    return { version: live, key, fileName, total, collection };
  }

  async #version(tenant: string, id: string, version: number): Promise<VersionRow> {
    const row = await this.documents.findVersion(tenant, id, version);
    if (!row) throw new RagmeshError('BLOB.NOT_FOUND', 'The content of this document is gone.', { id });
    return row;
  }

  async #content(tenant: string, key: string, mediaType: string, fileName: string): Promise<Content> {
    const bytes = await this.blobs.size(tenant, key);
    return { mediaType, fileName, bytes, sha256: key, pieces: this.blobs.read(tenant, key) };
  }
}
