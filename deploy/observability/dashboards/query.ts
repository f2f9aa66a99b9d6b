import type { Dashboard } from '../grafana/dashboard.js';
import { green, red, yellow, type Panel } from '../grafana/panel.js';
import { increase, observations, quantile, rate } from '../promql/series.js';
import { answerRoutes, searchRoutes } from '../slo/routes.js';

const latencyOf = (title: string, routes: RegExp, description: string): Panel => ({
  type: 'timeseries',
  title,
  description,
  unit: 's',
  queries: [0.5, 0.95, 0.99].map((of) => ({
    expr: quantile(of, 'rag_request_latency_seconds', { where: { operation: routes } }),
    legend: `p${of * 100}`,
    exemplars: true,
  })),
  more: 'ragmesh-slos',
});

const users: readonly Panel[] = [
  {
    type: 'timeseries',
    title: 'Questions and searches',
    description:
      'By mode and outcome, as the retrieval service saw them. Errors: the table of codes on the overview says which.',
    unit: 'ops',
    queries: [{ expr: rate('rag_queries_total', { by: ['mode', 'status'] }), legend: '{{mode}} {{status}}' }],
    stack: true,
  },
  latencyOf(
    'Searches, whole request',
    searchRoutes,
    'At the gateway. Slow while the stages below are fast: the time is lost between services.',
  ),
  latencyOf(
    'Answers, to the last token',
    answerRoutes,
    'At the gateway, streams included. Mostly the language model: see Models.',
  ),
  {
    type: 'timeseries',
    title: 'In the retrieval service, p95',
    description: 'Questions and searches by mode, without the gateway.',
    unit: 's',
    queries: [
      { expr: quantile(0.95, 'rag_query_duration_seconds', { by: ['mode'] }), legend: '{{mode}}', exemplars: true },
    ],
  },
  {
    type: 'timeseries',
    title: 'Stages of a query, p95',
    description:
      'embed_query slow: scale embedding. vector_search slow: scale vector or its store. rerank slow: RERANK_MODEL is too large.',
    unit: 's',
    width: 16,
    queries: [
      {
        expr: quantile(0.95, 'ragmesh_stage_duration_seconds', {
          by: ['stage'],
          where: { stage: { not: /parse|embed|index/ } },
        }),
        legend: '{{stage}}',
        exemplars: true,
      },
    ],
  },
];

const hits = rate('rag_cache_hits_total', { by: ['cache'] });
const misses = rate('rag_cache_misses_total', { by: ['cache'] });

const quality: readonly Panel[] = [
  {
    type: 'timeseries',
    title: 'Score of the best source, median',
    description: 'A fall without a release: new documents of another kind, or an index built with another model.',
    unit: 'none',
    queries: [{ expr: quantile(0.5, 'rag_retrieval_score', { by: ['mode'] }), legend: '{{mode}}' }],
  },
  {
    type: 'timeseries',
    title: 'Searches with results',
    description: 'Per second and mode. Far below the searches above: many questions find nothing.',
    unit: 'ops',
    queries: [{ expr: observations('rag_retrieval_score', { by: ['mode'] }), legend: '{{mode}}' }],
  },
  {
    type: 'bargauge',
    title: 'Searches that gave up',
    description:
      'In Qdrant, by leg: what passes the filter may be missing. Points of an earlier release know no ranges of texts: reindex the collection. Else the filter negates such a range: say what is wanted instead.',
    unit: 'short',
    queries: [{ expr: increase('ragmesh_searches_cut_total', { by: ['leg'] }), legend: '{{leg}}' }],
    steps: [green, yellow(1)],
  },
  {
    type: 'stat',
    title: 'Answered by the second store',
    description:
      'Searches and reads while the vector store was away, with VECTOR_SECOND_STORE. The breaker of qdrant says since when: see RagmeshBreakerOpen.',
    unit: 'short',
    queries: [{ expr: increase('ragmesh_second_store_answers_total'), legend: 'answers' }],
    steps: [green, yellow(1)],
  },
  {
    type: 'timeseries',
    title: 'Cache hit rate',
    description:
      'By cache. A fall after a release or a clear is normal; POST /v1/admin/cache/warm makes frequent searches ahead.',
    unit: 'percentunit',
    queries: [{ expr: `${hits} / (${hits} + ${misses})`, legend: '{{cache}}' }],
    steps: [green],
  },
  {
    type: 'bargauge',
    title: 'Judgements of answers',
    description: 'In the time shown. Read the answers that were judged bad: GET /v1/feedback.',
    unit: 'short',
    queries: [{ expr: increase('ragmesh_feedback_total', { by: ['rating'] }), legend: '{{rating}}' }],
  },
  {
    type: 'bargauge',
    title: 'Taken out of answers',
    description:
      'Citations and links without a source. Many: the model cites what it was not given; choose another one.',
    unit: 'short',
    queries: [{ expr: increase('ragmesh_llm_removed_total', { by: ['kind'] }), legend: '{{kind}}' }],
    steps: [green, yellow(10), red(100)],
  },
  {
    type: 'bargauge',
    title: 'Questions made for sets',
    description: 'By mode and by who made them; extractive where llm was wanted means that the model failed.',
    unit: 'short',
    queries: [{ expr: increase('ragmesh_questions_total', { by: ['mode', 'way'] }), legend: '{{mode}} {{way}}' }],
  },
];

export const query: Dashboard = {
  uid: 'ragmesh-query',
  title: 'ragmesh: query',
  description: 'Searches and answers: how fast, by which stage, how good.',
  rows: [
    { title: 'Searches and answers', panels: users },
    { title: 'Quality', panels: quality },
  ],
};
