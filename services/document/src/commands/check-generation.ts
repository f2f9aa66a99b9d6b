import { Inject, Injectable } from '@nestjs/common';
import { CONFIG } from '@ragmesh/bootstrap';
import { DocumentRepository } from '../adapters/document.repository.js';
import { GenerationIndex, type EmbeddedTexts } from '../adapters/generation-index.js';
import { GenerationRepository, type Leftover } from '../adapters/generation.repository.js';
import { TextExtractor } from '../adapters/text-extractor.js';
import type { DocumentConfig } from '../document.config.js';
import { questionFrom, shortfallOf, type Quality } from '../domain/quality.js';
import type { Reindex } from '../sagas/reindex.saga.js';

/** As many results as a search shows by default. */
const TOP_K = 10;
/** Of a text, where its first sentence is looked for. */
const BEGINNING_UNITS = 10_000;

const NOTHING: EmbeddedTexts = { vectors: [], model: '' };

/** The shadow quality gate: questions made from documents, to the new generation and to the one readers see. */
@Injectable()
export class CheckGeneration {
  constructor(
    private readonly documents: DocumentRepository,
    private readonly extractor: TextExtractor,
    private readonly index: GenerationIndex,
    private readonly generations: GenerationRepository,
    @Inject(CONFIG) private readonly config: DocumentConfig,
  ) {}

  /** @returns the figures, and why they must keep the generation from readers, if they must. */
  async run(
    data: Reindex,
    signal: AbortSignal,
  ): Promise<{ readonly quality: Quality; readonly shortfall: string | undefined }> {
    const { REINDEX_MIN_OVERLAP: overlap, REINDEX_MIN_SELF_RETRIEVAL: selfRetrieval } = this.config;
    const quality = await this.#measure(data, signal);
    return { quality, shortfall: shortfallOf(quality, { overlap, selfRetrieval }) };
  }

  async #measure({ tenant, collection, generation }: Reindex, signal: AbortSignal): Promise<Quality> {
    const sample = await this.documents.sampleLive(tenant, collection, this.config.REINDEX_QUESTIONS);
    const asked: { documentId: string; text: string }[] = [];
    for (const { id, title, text_blob_key: key } of sample) {
      const stored = await this.extractor.readText(tenant, key);
      const text = questionFrom(title, stored.slice(0, BEGINNING_UNITS));
      if (text !== '') asked.push({ documentId: id, text });
    }
    const [model, liveModel] = await this.#models({ tenant, collection, generation });
    const texts = asked.map(({ text }) => text);
    const own = asked.length === 0 ? NOTHING : await this.index.embed(texts, model, signal);
    // Each generation is asked by the model it was built with: vectors of two models say nothing about each other.
    const live = asked.length === 0 || model === liveModel ? NOTHING : await this.index.embed(texts, liveModel, signal);
    const { overlap, selfRetrieval, liveSelfRetrieval } = await this.index.compare(
      {
        ...{ collection, generation, topK: TOP_K, model: own.model, liveModel: live.model },
        questions: asked.map((one, at) => ({ ...one, vector: own.vectors[at]!, liveVector: live.vectors[at] })),
      },
      signal,
    );
    return { questions: asked.length, overlap, selfRetrieval, liveSelfRetrieval };
  }

  async #models({ tenant, collection, generation }: Leftover): Promise<[string | null, string | null]> {
    const row = await this.generations.find(tenant, collection, generation);
    return [row?.model ?? null, await this.generations.liveModel(tenant, collection)];
  }
}
