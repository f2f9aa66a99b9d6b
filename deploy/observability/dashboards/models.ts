import type { Dashboard } from '../grafana/dashboard.js';
import { green, red, yellow, type Panel } from '../grafana/panel.js';
import { answered } from '../promql/outcomes.js';
import { highest, observations, quantile, rate, series } from '../promql/series.js';

const byModel = ['provider', 'model'];
const calls = rate('ragmesh_llm_calls_total', { by: byModel });
const failed = rate('ragmesh_llm_calls_total', { by: byModel, where: { outcome: { not: answered } } });

const language: readonly Panel[] = [
  {
    type: 'timeseries',
    title: 'Calls by outcome',
    description:
      'rate_limited: buy more or ask less. unreachable, server_error: the provider is down. breaker_open: it was, and is tried again soon.',
    unit: 'ops',
    queries: [{ expr: rate('ragmesh_llm_calls_total', { by: ['model', 'outcome'] }), legend: '{{model}} {{outcome}}' }],
    stack: true,
  },
  {
    type: 'timeseries',
    title: 'Calls that failed',
    description:
      'Share by model. Answers that users broke off, or that were shortened or withheld, are none. LLM_FALLBACK_MODELS names models that stand in.',
    unit: 'percentunit',
    queries: [{ expr: `${failed} / ${calls}`, legend: '{{provider}} {{model}}' }],
    steps: [green, yellow(0.05), red(0.5)],
  },
  {
    type: 'timeseries',
    title: 'Time to the first token',
    description:
      'From the call to the first piece of text. High: the provider queues, or the local model has too few threads.',
    unit: 's',
    queries: [0.5, 0.95].map((of) => ({
      expr: quantile(of, 'ragmesh_llm_first_token_seconds', { by: byModel }),
      legend: `{{model}} p${of * 100}`,
      exemplars: true,
    })),
    more: 'ragmesh-slos',
  },
  {
    type: 'timeseries',
    title: 'Tokens per second',
    description: 'Read (prompt) and written (completion), over all calls.',
    unit: 'ops',
    queries: [{ expr: rate('ragmesh_llm_tokens_total', { by: ['model', 'kind'] }), legend: '{{model}} {{kind}}' }],
  },
  {
    type: 'timeseries',
    title: 'Tokens written per answer begun',
    description: 'Near the longest answer allowed: answers are cut; raise LLM_MAX_TOKENS or ask for less.',
    unit: 'short',
    queries: [
      {
        expr: `${rate('ragmesh_llm_tokens_total', { by: ['model'], where: { kind: 'completion' } })} / ${observations('ragmesh_llm_first_token_seconds', { by: ['model'] })}`,
        legend: '{{model}}',
      },
    ],
  },
  {
    type: 'timeseries',
    title: 'Answers from a stand-in',
    description:
      'model: a smaller one; cached: an earlier answer; extractive: sentences of the sources. Above 0: the first model fails.',
    unit: 'ops',
    queries: [{ expr: rate('ragmesh_llm_fallbacks_total', { by: ['to'] }), legend: '{{to}}' }],
    steps: [green],
  },
];

const vectors: readonly Panel[] = [
  {
    type: 'timeseries',
    title: 'Embedding, p50 and p95',
    description: 'embed: a batch of chunks; embed_query: one question; rerank: the passages of one question.',
    unit: 's',
    queries: [0.5, 0.95].map((of) => ({
      expr: quantile(of, 'ragmesh_stage_duration_seconds', {
        by: ['stage'],
        where: { stage: /embed|embed_query|rerank/ },
      }),
      legend: `{{stage}} p${of * 100}`,
      exemplars: true,
    })),
  },
  {
    type: 'timeseries',
    title: 'Vectors found in the cache',
    description: 'Hits and misses of the caches of vectors. Many misses of equal texts: raise EMBEDDING_CACHE_SIZE.',
    unit: 'ops',
    queries: [
      {
        expr: rate('rag_cache_hits_total', { by: ['cache'], where: { cache: /embedding.*/ } }),
        legend: '{{cache}} hits',
      },
      {
        expr: rate('rag_cache_misses_total', { by: ['cache'], where: { cache: /embedding.*/ } }),
        legend: '{{cache}} misses',
      },
    ],
  },
  {
    type: 'timeseries',
    title: 'Memory of embedding',
    description: 'Weights of models and one copy for each thread; bounded by EMBEDDING_MEMORY_BUDGET.',
    unit: 'bytes',
    queries: [
      {
        expr: highest('process_resident_memory_bytes', { by: ['instance'], where: { service_name: 'embedding' } }),
        legend: '{{instance}}',
      },
    ],
  },
  {
    type: 'timeseries',
    title: 'Breakers in front of models',
    description: 'Open: vectors or answers are not asked for at all, searches are lexical and answers extractive.',
    unit: 'none',
    values: { 0: 'closed', 1: 'half open', 2: 'open' },
    queries: [
      {
        expr: `max by (service, dependency) (${series('ragmesh_breaker_state', { service: /generation|retrieval|embedding|model/ })})`,
        legend: '{{service}} → {{dependency}}',
      },
    ],
    steps: [green, yellow(1), red(2)],
  },
];

export const models: Dashboard = {
  uid: 'ragmesh-models',
  title: 'ragmesh: models',
  description: 'Language models and embedding models: whether they answer, how fast, and who stands in.',
  rows: [
    { title: 'Language models', panels: language },
    { title: 'Embedding models', panels: vectors },
  ],
};
