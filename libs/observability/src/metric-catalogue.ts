/** One metric: everything a dashboard or an alert may rely on. */
export interface MetricSpec<Type extends 'counter' | 'gauge' | 'histogram' = 'counter' | 'gauge' | 'histogram'> {
  readonly type: Type;
  readonly help: string;
  readonly labels: readonly string[];
  readonly buckets?: readonly number[];
}

const latency = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const counter = (help: string, ...labels: string[]): MetricSpec<'counter'> => ({ type: 'counter', help, labels });
const gauge = (help: string, ...labels: string[]): MetricSpec<'gauge'> => ({ type: 'gauge', help, labels });
const histogram = (help: string, buckets: readonly number[], ...labels: string[]): MetricSpec<'histogram'> => ({
  type: 'histogram',
  help,
  labels,
  buckets,
});

/** Every metric ragmesh exposes. Never labelled by document, user or text. */
export const metricCatalogue = {
  rag_queries_total: counter('Questions and searches by outcome.', 'mode', 'status'),
  rag_query_duration_seconds: histogram('Time from question to last token.', latency, 'mode'),
  rag_cache_hits_total: counter('Cache hits by level.', 'cache'),
  rag_cache_misses_total: counter('Cache misses by level.', 'cache'),
  rag_errors_total: counter('Failures by error code.', 'type'),
  rag_active_requests: gauge('HTTP requests being served.'),
  rag_requests_total: counter('HTTP requests by route and status.', 'operation', 'status'),
  rag_request_latency_seconds: histogram('HTTP latency by route.', latency, 'operation'),
  rag_retrieval_score: histogram(
    'Score of the best source of a search.',
    [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1],
    'mode',
  ),
  ragmesh_events_handled_total: counter('Events by handler and outcome.', 'service', 'handler', 'outcome'),
  ragmesh_event_duration_seconds: histogram('Time one attempt at an event took.', latency, 'service', 'handler'),
  ragmesh_consumer_lag_records: gauge('Events not yet handled, by topic.', 'service', 'topic'),
  ragmesh_consumer_lag_seconds: gauge('Age of the oldest event not yet handled, by topic.', 'service', 'topic'),
  ragmesh_outbox_pending: gauge('Events committed and not yet published.', 'service'),
  ragmesh_outbox_oldest_seconds: gauge('Age of the oldest event not yet published.', 'service'),
  ragmesh_dead_letters_total: counter('Events given up, by handler and error code.', 'service', 'handler', 'code'),
  ragmesh_dead_letters_open: gauge('Dead letters that wait for a decision, by status.', 'service', 'status'),
  ragmesh_sagas: gauge('Sagas by name and state.', 'saga', 'state'),
  ragmesh_sagas_overdue: gauge('Sagas past their deadline and not ended.', 'saga'),
  ragmesh_freshness_seconds: histogram(
    'Time from upload to searchable.',
    [0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30, 60, 300],
  ),
  ragmesh_access_lag_seconds: histogram(
    'Time from a change of who may read something to when points are tagged with it and kept results are gone.',
    [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60],
    'service',
  ),
  ragmesh_ingestions_waiting: gauge('Accepted documents that wait for others of their tenant.'),
  ragmesh_ingestions_waiting_seconds: gauge('How long the one that waits longest has.'),
  ragmesh_stage_duration_seconds: histogram('Time a stage of ingestion or retrieval took.', latency, 'stage'),
  ragmesh_egress_requests_total: counter('Fetches from addresses that users named, by outcome.', 'outcome'),
  ragmesh_redis_away: gauge(
    '1 while a service has no connection to the Redis it is told to use, else 0, by what it keeps there.',
    'service',
    'namespace',
  ),
  ragmesh_breaker_state: gauge('Circuit breakers: 0 closed, 1 half open, 2 open.', 'service', 'dependency'),
  ragmesh_llm_calls_total: counter('Calls to language models by outcome.', 'provider', 'model', 'outcome'),
  ragmesh_llm_first_token_seconds: histogram(
    "Time to the first piece of a model's answer.",
    latency,
    'provider',
    'model',
  ),
  ragmesh_llm_tokens_total: counter('Tokens read (prompt) and written (completion).', 'tenant', 'model', 'kind'),
  ragmesh_embedding_tokens_total: counter(
    'Tokens that a provider of embeddings was given; where it names none, an estimate.',
    'tenant',
    'model',
  ),
  ragmesh_llm_cost_dollars_total: counter('Cost of models that have a price, in US dollars.', 'tenant', 'model'),
  ragmesh_llm_removed_total: counter('What was taken out of answers: citations and links without a source.', 'kind'),
  ragmesh_llm_fallbacks_total: counter('Answers not given by the first model, by who gave them.', 'to'),
  ragmesh_questions_total: counter('Questions made for sets, by mode and by who made them.', 'mode', 'way'),
  ragmesh_feedback_total: counter('Judgements of answers by rating; a changed one counts again.', 'rating'),
  ragmesh_points: gauge('Points held by the index.', 'state'),
  ragmesh_index_drift_points: gauge('Points by which the index differed from its rows at the last look.', 'kind'),
  ragmesh_index_drift_rounds: gauge('Looks in a row at which the index differed from its rows.', 'kind'),
  ragmesh_searches_cut_total: counter(
    'Searches in Qdrant that gave up before they had all that pass their filter, by leg.',
    'leg',
  ),
  ragmesh_second_store_answers_total: counter(
    'Searches and reads that the second vector store answered while the first was away.',
  ),
  ragmesh_quota_refusals_total: counter('Requests refused because a quota was used up.', 'scope', 'unit'),
  ragmesh_quota_local: gauge('1 while this gateway counts quotas alone because Redis is away, else 0.'),
  ragmesh_audit_pending: gauge('Records of the audit trail that wait for the database.'),
  ragmesh_certificate_expiry_timestamp_seconds: gauge(
    'When a certificate that is in use expires, in seconds since 1970, by the variable that names its file.',
    'certificate',
  ),
  ragmesh_event_loop_delay_seconds: gauge('Event loop delay, 99th percentile of the last scrape interval.'),
} as const satisfies Record<string, MetricSpec>;

export type MetricName = keyof typeof metricCatalogue;
