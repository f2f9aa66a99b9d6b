import { observations, observationsWithin, rate, type Matchers } from '../promql/series.js';
import type { FamilyName } from '../promql/metric-families.js';
import { answerRoutes, ofUsers, searchRoutes } from './routes.js';

/** A promise to users, over 30 days: the share of events that must be good. */
export interface Objective {
  readonly id: string;
  /** Of its two alerts, and of their runbook. */
  readonly alert: `Ragmesh${string}`;
  readonly says: string;
  readonly target: number;
  /** Rate per second of all events, and of the bad ones, over a window. */
  readonly events: (over: string) => string;
  readonly bad: (over: string) => string;
  readonly advice: string;
  readonly dashboard: string;
}

type Purpose = Pick<Objective, 'id' | 'alert' | 'says' | 'target' | 'advice' | 'dashboard'>;

/** Good are the observations of a histogram up to `limit` seconds. */
function within(limit: number, name: FamilyName, where: Matchers, purpose: Purpose): Objective {
  const events = (over: string): string => observations(name, { where, over });
  return { ...purpose, events, bad: (over) => `${events(over)} - ${observationsWithin(limit, name, { where, over })}` };
}

export const objectives: readonly Objective[] = [
  {
    id: 'availability',
    alert: 'RagmeshAvailabilityBudget',
    says: '99.9 % of requests are not answered with 5xx.',
    target: 0.999,
    events: (over) => rate('rag_requests_total', { where: ofUsers, over }),
    bad: (over) =>
      `(${rate('rag_requests_total', { where: { ...ofUsers, status: /5../ }, over })} or 0 * ${rate('rag_requests_total', { where: ofUsers, over })})`,
    advice: 'See "Errors by code" and the circuit breakers on the dashboard; the code names what is unavailable.',
    dashboard: 'ragmesh-overview',
  },
  within(
    0.25,
    'rag_request_latency_seconds',
    { operation: searchRoutes },
    {
      id: 'search-latency',
      alert: 'RagmeshSearchLatencyBudget',
      says: '99 % of searches are answered within 250 ms.',
      target: 0.99,
      advice: 'Find the slow stage on the dashboard and add copies of its service, or relieve its store.',
      dashboard: 'ragmesh-query',
    },
  ),
  within(
    10,
    'rag_request_latency_seconds',
    { operation: answerRoutes },
    {
      id: 'answer-latency',
      alert: 'RagmeshAnswerLatencyBudget',
      says: '95 % of answers are complete within 10 s.',
      target: 0.95,
      advice: 'Compare the language model with the stages of the query on the dashboard; usually the model is slow.',
      dashboard: 'ragmesh-query',
    },
  ),
  within(
    2.5,
    'ragmesh_llm_first_token_seconds',
    {},
    {
      id: 'first-token',
      alert: 'RagmeshFirstTokenBudget',
      says: '95 % of answers of language models begin within 2.5 s.',
      target: 0.95,
      advice:
        'See which model is slow on the dashboard; name a faster one, or add copies of generation for local models.',
      dashboard: 'ragmesh-models',
    },
  ),
  within(
    30,
    'ragmesh_freshness_seconds',
    {},
    {
      id: 'freshness',
      alert: 'RagmeshFreshnessBudget',
      says: '99 % of documents are searchable 30 s after their upload.',
      target: 0.99,
      advice: 'Find the stage or topic that waits on the dashboard and add copies of its service.',
      dashboard: 'ragmesh-ingestion',
    },
  ),
];
