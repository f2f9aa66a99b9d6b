import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, FLAGS, type Flags } from '@ragmesh/bootstrap';
import { currentTenant } from '@ragmesh/observability';
import { CollectionSettings, type CollectionSetting } from '../adapters/collection-settings.js';
import { ReaderScope } from '../adapters/reader-scope.js';
import {
  collectionOf,
  parseSearchQuery,
  type SearchFields,
  type SearchOptions,
  type SearchQuery,
} from '../domain/search-query.js';
import type { RetrievalConfig } from '../retrieval.config.js';

export interface Prepared {
  readonly query: SearchQuery;
  /**
   * `defaults` when those of the collection could not be used, what is {@link switchedOff}, what this caller may not have, and
   * `context` when it is to be answered from fewer chunks.
   */
  readonly degraded: readonly string[];
  /** What was asked for and cannot be had as this is configured; the next who ask for it do without it, too. */
  readonly switchedOff: readonly string[];
}

/** What a collection may have for what is left out that lets most pass: lexical scores have no upper limit. */
const ALLOWING_MOST = { mode: 'lexical' };

/** Steps for which a language model is asked, by the names that `degraded` has for them. */
const MODEL_STEPS = [
  ['multi_query', 'multiQuery'],
  ['hyde', 'hyde'],
  ['self_check', 'selfCheck'],
] as const;

/** Checks a search and fills in what its collection and the configuration have for what it leaves open. */
@Injectable()
export class PrepareSearch {
  constructor(
    private readonly settings: CollectionSettings,
    private readonly readers: ReaderScope,
    @Inject(CONFIG) private readonly config: RetrievalConfig,
    @Inject(FLAGS) private readonly flags: Flags,
  ) {}

  /** @throws RagmeshError REQUEST.INVALID. */
  async from(fields: SearchFields): Promise<Prepared> {
    const [tenant, id] = [currentTenant(), collectionOf(fields)];
    this.#parsed(fields, this.config.SEARCH_ALPHA, ALLOWING_MOST); // what is wrong in itself asks nobody
    const setting = this.settings.known(tenant, id) ?? this.settings.read(tenant, id);
    const [known, scope] = await Promise.all([setting, this.readers.of(id)]);
    const { query, ...stepsBack } = await this.#prepared(fields, known);
    return { query: { ...query, ...scope }, ...stepsBack };
  }

  async #prepared(fields: SearchFields, { options, usable }: CollectionSetting): Promise<Prepared> {
    const alpha = await this.flags.getNumberValue('search_alpha', this.config.SEARCH_ALPHA);
    const query = this.#parsed(fields, alpha, options);
    const switchedOff = !query.rerank || (await this.#canRerank(query)) ? [] : ['rerank'];
    const forbidden = fields.withoutModels ? MODEL_STEPS.filter(([, step]) => query[step]) : [];
    const off = Object.fromEntries(forbidden.map(([, step]) => [step, false]));
    return {
      query: { ...query, ...(switchedOff.length > 0 ? { rerank: false } : {}), ...off },
      degraded: [...(usable ? [] : ['defaults']), ...switchedOff, ...forbidden.map(([name]) => name)],
      switchedOff,
    };
  }

  #parsed(fields: SearchFields, alpha: number, options: SearchOptions): SearchQuery {
    return parseSearchQuery(fields, alpha, options, this.config.APP_RERANK_BACKEND === 'cross-encoder');
  }

  /** The blend needs the scores of both legs. */
  async #canRerank({ mode }: SearchQuery): Promise<boolean> {
    const { APP_RERANK_BACKEND: backend } = this.config;
    const isAble = backend === 'cross-encoder' || (backend === 'stub' && mode === 'hybrid');
    return isAble && this.flags.getBooleanValue('rerank', true);
  }
}
