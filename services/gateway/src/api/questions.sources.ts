import type { MessageInitShape } from '@bufbuild/protobuf';
import { Injectable } from '@nestjs/common';
import type { documentV1, generationV1 } from '@ragmesh/contracts';
import { isRagmeshError } from '@ragmesh/errors';
import type { CallOptions } from '@ragmesh/grpc';
import { Calls } from './calls.js';
import type { QuestionsInput } from './questions.schema.js';

type Source = MessageInitShape<typeof generationV1.SourceSchema>;

/** What questions can be made of, and how it was found. */
export interface FoundSources {
  readonly sources: readonly Source[];
  readonly timings: Readonly<Record<string, number>>;
  readonly degraded: readonly string[];
}

/** Chunks one set of questions is made of, at most. */
const MAX_SOURCES = 100;
/** Chunks of a long document that are looked at; the sources are spread evenly over them. */
const MAX_CHUNKS = 1_000;
const CHUNKS_PER_PAGE = 200;
const MAX_DOCUMENTS = 20;
const MOST_READINGS = 3;

/** Finds what questions are made of: by search where a topic is given, else the chunks of one or of several documents. */
@Injectable()
export class QuestionSources {
  constructor(private readonly calls: Calls) {}

  /** @throws RagmeshError DOCUMENT.NOT_FOUND, DOCUMENT.NOT_READY, DOCUMENT.FAILED, and what a search throws. */
  async find(input: QuestionsInput, options: CallOptions): Promise<FoundSources> {
    if (input.document_id !== undefined) return chunksOnly(await this.#ofDocument(input.document_id, options));
    if (input.topic !== undefined) return this.#byTopic(input.topic, input, options);
    return chunksOnly(await this.#ofCollection(input.collection, options));
  }

  async #byTopic(topic: string, { collection, count }: QuestionsInput, options: CallOptions): Promise<FoundSources> {
    const topK = Math.min(MAX_SOURCES, Math.max(20, 2 * count));
    const found = await this.calls.retrieval.search({ query: topic, collection, mode: 'hybrid', topK }, options);
    const sources = found.results.flatMap(({ source }) => source ?? []);
    return { sources, timings: found.timings, degraded: found.degraded };
  }

  /** Begins again where the document is cut anew between two pages. */
  async #ofDocument(id: string, options: CallOptions): Promise<Source[]> {
    for (let reading = 1; ; reading += 1) {
      try {
        return spread(await this.#chunksOf(id, options));
      } catch (error) {
        const isCutAnew = isRagmeshError(error) && error.details['field'] === 'cursor';
        if (!isCutAnew || reading === MOST_READINGS) throw error;
      }
    }
  }

  async #chunksOf(id: string, options: CallOptions): Promise<Source[]> {
    const sources: Source[] = [];
    let cursor = '';
    do {
      const page = await this.calls.documents.listChunks({ id, cursor, limit: CHUNKS_PER_PAGE }, options);
      sources.push(...page.chunks.map((chunk) => toSource(id, page.version, chunk)));
      cursor = page.nextCursor;
    } while (cursor !== '' && sources.length < MAX_CHUNKS);
    return sources;
  }

  async #ofCollection(collection: string, options: CallOptions): Promise<Source[]> {
    const request = { collection, status: 'ready', limit: MAX_DOCUMENTS };
    const { documents } = await this.calls.documents.listDocuments(request, options);
    const share = Math.ceil(MAX_SOURCES / Math.max(1, documents.length));
    const chunks = documents.map(async ({ id }) => {
      const page = await this.calls.documents.listChunks({ id, limit: share }, options).catch(noneWhereGone);
      return page ? page.chunks.map((chunk) => toSource(id, page.version, chunk)) : [];
    });
    return (await Promise.all(chunks)).flat().slice(0, MAX_SOURCES);
  }
}

const chunksOnly = (sources: readonly Source[]): FoundSources => ({ sources, timings: {}, degraded: [] });

const toSource = (documentId: string, version: bigint, chunk: documentV1.DocumentChunk): Source => {
  const { id, text, start, end, page, heading, metadata } = chunk;
  return { id, documentId, version, score: 1, text, start, end, page, heading, metadata };
};

/** As many as are taken, evenly from beginning to end. */
function spread(sources: readonly Source[]): Source[] {
  const step = Math.max(1, sources.length / MAX_SOURCES);
  const taken = Math.min(sources.length, MAX_SOURCES);
  return Array.from({ length: taken }, (_, position) => sources[Math.floor(position * step)]!);
}

/** A document may go between being listed and being read. */
function noneWhereGone(error: unknown): undefined {
  const gone = ['DOCUMENT.NOT_FOUND', 'DOCUMENT.NOT_READY', 'DOCUMENT.FAILED', 'BLOB.NOT_FOUND'];
  if (!isRagmeshError(error) || !gone.includes(error.code)) throw error;
}
