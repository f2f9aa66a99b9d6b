import { timestampDate } from '@bufbuild/protobuf/wkt';
import { Injectable } from '@nestjs/common';
import type { knowledgeV1 } from '@ragmesh/contracts';
import { isRagmeshError } from '@ragmesh/errors';
import type { CallOptions } from '@ragmesh/grpc';
import type { FastifyReply } from 'fastify';
import { Calls } from '../api/calls.js';
import { unknownModel } from './chat-question.js';
import { CHAT_MODEL, chatModelOf, collectionOf, nameOf } from './model-names.js';

/** A short text whose vector is cached: asking for it tells which model embeds. */
const PROBE = 'model';
const PAGE = 200;
/** Most collections that are listed as models. */
const MAX_COLLECTIONS = 1_000;

/** A model as this server offers it. */
export interface ServedModel {
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
}

const startedAt = Math.floor(Date.now() / 1000 - process.uptime());

/** What can be asked here by the name of a model: every collection, language models, and the embedding model. */
@Injectable()
export class ServedModels {
  constructor(private readonly calls: Calls) {}

  /**
   * The language model that a chat asks for; nothing when its model is a collection, which leaves that open.
   * @throws RagmeshError MODEL.NOT_FOUND for a model that is neither, or whose collection does not exist.
   */
  async languageModelOf(model: string, reply: FastifyReply): Promise<string> {
    const collection = collectionOf(model);
    const options = this.calls.unary(reply);
    if (collection === undefined) {
      if ((await this.#languageModels(options)).includes(model)) return model;
      throw unknownModel(model);
    }
    if (chatModelOf(collection || 'default') !== CHAT_MODEL) await this.#collection(collection, model, options);
    return '';
  }

  /** The model of this name. @throws RagmeshError MODEL.NOT_FOUND. */
  async find(model: string, reply: FastifyReply): Promise<ServedModel> {
    const options = this.calls.unary(reply);
    const collection = collectionOf(model);
    if (model === CHAT_MODEL) return { id: model, created: startedAt };
    if (collection !== undefined) return modelOf(await this.#collection(collection, model, options));
    if ((await this.#languageModels(options)).includes(model)) return { id: model, created: startedAt };
    const embedding = await this.embeddingModel(options);
    if (model !== nameOf(embedding) && model !== embedding) throw unknownModel(model);
    return { id: model, created: startedAt };
  }

  /** Collections first, then language models. What cannot be found out now, and the embedding model without a vector, is left out. */
  async list(reply: FastifyReply): Promise<ServedModel[]> {
    const options = this.calls.unary(reply);
    const [collections, languageModels, embedding] = await Promise.all([
      this.#collections(options),
      this.#languageModels(options).catch(() => []),
      this.embeddingModel(options).catch(() => undefined),
    ]);
    return [
      { id: CHAT_MODEL, created: startedAt },
      ...collections.filter(({ id }) => id !== 'default').map(modelOf),
      ...languageModels.map((id) => ({ id, created: startedAt })),
      ...(embedding === undefined ? [] : [{ id: nameOf(embedding), created: startedAt }]),
    ];
  }

  /**
   * name@revision of the model that embeds; what stands in for it while it cannot be had is not offered by any name.
   * @throws RagmeshError EMBEDDING.UNAVAILABLE then.
   */
  async embeddingModel(options: CallOptions): Promise<string> {
    const { model } = await this.calls.ownEmbedding.embed({ texts: [PROBE], withoutFallback: true }, options);
    return model;
  }

  async #collection(id: string, model: string, options: CallOptions): Promise<knowledgeV1.Collection> {
    try {
      return await this.calls.knowledge.getCollection({ id }, options);
    } catch (error) {
      throw isRagmeshError(error) && error.code === 'COLLECTION.NOT_FOUND' ? unknownModel(model) : error;
    }
  }

  /** Names that several providers have are listed once; what a collection's models are called like is not listed. */
  async #languageModels(options: CallOptions): Promise<string[]> {
    const { models } = await this.calls.generation.listLanguageModels({}, options);
    return [...new Set(models.map(({ name }) => name))].filter((name) => collectionOf(name) === undefined);
  }

  async #collections(options: CallOptions): Promise<knowledgeV1.Collection[]> {
    const found: knowledgeV1.Collection[] = [];
    let cursor = '';
    do {
      const page = await this.calls.knowledge.listCollections({ limit: PAGE, cursor }, options);
      found.push(...page.collections);
      cursor = page.nextCursor;
    } while (cursor !== '' && found.length < MAX_COLLECTIONS);
    return found;
  }
}

const modelOf = ({ id, createdAt }: knowledgeV1.Collection): ServedModel => ({
  id: chatModelOf(id),
  created: createdAt ? Math.floor(timestampDate(createdAt).getTime() / 1000) : startedAt,
});
