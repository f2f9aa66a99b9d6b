import type { Dashboard } from '../grafana/dashboard.js';
import type { Panel } from '../grafana/panel.js';
import { increase, rate, series } from '../promql/series.js';

const cost = 'ragmesh_llm_cost_dollars_total';
const tokens = 'ragmesh_llm_tokens_total';
const embedded = 'ragmesh_embedding_tokens_total';

const spending: readonly Panel[] = [
  {
    type: 'stat',
    title: 'Cost in the time shown',
    description:
      'Models without a price count as nothing: LLM_PRICES sets prices. GET /v1/admin/usage is the exact account.',
    unit: 'currencyUSD',
    width: 6,
    queries: [{ expr: increase(cost) }],
  },
  {
    type: 'stat',
    title: 'Cost per day at this rate',
    description: 'The last hour, taken for a day.',
    unit: 'currencyUSD',
    width: 6,
    queries: [{ expr: `${rate(cost, { over: '1h' })} * 86400` }],
  },
  {
    type: 'stat',
    title: 'Tokens in the time shown',
    description: 'Read and written, over all tenants and models.',
    unit: 'short',
    width: 6,
    queries: [{ expr: increase(tokens) }],
  },
  {
    type: 'stat',
    title: 'Tenants that used a model',
    description: 'In the time shown.',
    unit: 'none',
    width: 6,
    queries: [{ expr: `count(${increase(tokens, { by: ['tenant'] })} > 0) or vector(0)` }],
  },
];

const tenants: readonly Panel[] = [
  {
    type: 'timeseries',
    title: 'Tokens by tenant',
    description: 'The ten that use most. One far above the others: ask it, or limit it.',
    unit: 'ops',
    width: 12,
    queries: [{ expr: `topk(10, ${rate(tokens, { by: ['tenant'] })})`, legend: '{{tenant}}' }],
    stack: true,
  },
  {
    type: 'timeseries',
    title: 'Cost by tenant, per hour',
    description: 'The ten that cost most.',
    unit: 'currencyUSD',
    width: 12,
    queries: [{ expr: `topk(10, ${rate(cost, { by: ['tenant'] })} * 3600)`, legend: '{{tenant}}' }],
    stack: true,
  },
  {
    type: 'table',
    title: 'Cost by tenant and model',
    description: 'In the time shown.',
    unit: 'currencyUSD',
    queries: [{ expr: `sort_desc(${increase(cost, { by: ['tenant', 'model'] })})` }],
  },
  {
    type: 'table',
    title: 'Tokens by tenant, model and kind',
    description: 'In the time shown. Long prompts for short answers: fewer or shorter sources per question save most.',
    unit: 'short',
    queries: [{ expr: `sort_desc(${increase(tokens, { by: ['tenant', 'model', 'kind'] })})` }],
  },
  {
    type: 'table',
    title: 'Tokens embedded by a provider, by tenant and model',
    description: 'In the time shown. Local models are free and not counted; no cost above includes these.',
    unit: 'short',
    queries: [{ expr: `sort_desc(${increase(embedded, { by: ['tenant', 'model'] })})` }],
  },
];

const quotas: readonly Panel[] = [
  {
    type: 'timeseries',
    title: 'Refused by quotas',
    description:
      'A tenant or a key that ran out of requests a minute or tokens a day. GET /v1/admin/quotas says what is used, PUT changes it.',
    unit: 'ops',
    width: 12,
    queries: [{ expr: rate('ragmesh_quota_refusals_total', { by: ['scope', 'unit'] }), legend: '{{scope}}, {{unit}}' }],
  },
  {
    type: 'stat',
    title: 'Gateways that count alone',
    description: 'Redis is away: each of them lets in as much as a quota says, so that all together let in more.',
    unit: 'none',
    width: 6,
    queries: [{ expr: `sum(${series('ragmesh_quota_local')}) or vector(0)` }],
  },
  {
    type: 'stat',
    title: 'Audit records that wait',
    description:
      'For the database of the gateway. Changes are refused meanwhile; what was only read is recorded later.',
    unit: 'none',
    width: 6,
    queries: [{ expr: `sum(${series('ragmesh_audit_pending')}) or vector(0)` }],
  },
];

export const tenantsAndCost: Dashboard = {
  uid: 'ragmesh-tenants',
  title: 'ragmesh: tenants and cost',
  description: 'Who uses language models how much, and what it costs.',
  rows: [
    { title: 'Spending', panels: spending },
    { title: 'Tenants', panels: tenants },
    { title: 'Quotas and audit', panels: quotas },
  ],
};
