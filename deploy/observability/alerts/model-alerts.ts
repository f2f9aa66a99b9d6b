import { answered } from '../promql/outcomes.js';
import { highest, rate } from '../promql/series.js';
import type { Alert } from './alert.js';

const by = ['provider', 'model'];
const failed = rate('ragmesh_llm_calls_total', { by, where: { outcome: { not: answered } }, over: '10m' });
const calls = (outcome: string): string =>
  `ragmesh_llm_calls_total{provider="openai", model="large", outcome="${outcome}"}`;
const drift = 'ragmesh_index_drift_rounds{kind="missing"}';

/** Models and the index. */
export const modelAlerts: readonly Alert[] = [
  {
    name: 'RagmeshLanguageModelFailing',
    summary: 'Most calls to {{ $labels.model }} of {{ $labels.provider }} fail; answers come from a stand-in.',
    advice:
      'The outcome on the dashboard says why: rate_limited, unreachable, server_error, slow_first_token or other.',
    dashboard: 'ragmesh-models',
    conditions: [
      {
        severity: 'warning',
        lasting: '5m',
        expr: `${failed} / ${rate('ragmesh_llm_calls_total', { by, over: '10m' })} > 0.5`,
      },
    ],
    scenarios: [
      {
        says: 'the provider limits three of four calls',
        series: { [calls('ok')]: '0+5x30', [calls('rate_limited')]: '0+15x30' },
        at: 20,
        fires: [{ severity: 'warning', provider: 'openai', model: 'large' }],
      },
      {
        says: 'users leave before the answer',
        series: { [calls('ok')]: '0+5x30', [calls('cancelled')]: '0+15x30' },
        at: 20,
        fires: [],
      },
      {
        says: 'most answers are as long as they may be, or withheld in the middle',
        series: { [calls('ok')]: '0+1x30', [calls('length')]: '0+15x30', [calls('withheld')]: '0+4x30' },
        at: 20,
        fires: [],
      },
      {
        says: 'most answers have not a single word',
        series: { [calls('ok')]: '0+5x30', [calls('empty')]: '0+15x30' },
        at: 20,
        fires: [{ severity: 'warning', provider: 'openai', model: 'large' }],
      },
    ],
  },
  {
    name: 'RagmeshIndexDrift',
    summary: 'The index differs from its rows again and again: {{ $labels.kind }} points.',
    advice:
      'Each comparison repairs what it finds; look for who else writes to the store, or for a store that loses writes.',
    dashboard: 'ragmesh-ingestion',
    conditions: [
      {
        severity: 'warning',
        // Each comparison repairs what it found. One event may show in two, when it comes in the middle of the first; three are a habit,
        // however rare comparisons are.
        lasting: '0m',
        expr: `${highest('ragmesh_index_drift_rounds', { by: ['kind'] })} > 2`,
      },
    ],
    scenarios: [
      {
        says: 'a third comparison finds points missing',
        series: { [drift]: '0x5 1x5 2x5 3x5' },
        at: 20,
        fires: [{ severity: 'warning', kind: 'missing' }],
      },
      {
        says: 'one comparison repaired it, and the next is days away',
        series: { [drift]: '1x3000', ['ragmesh_index_drift_points{kind="missing"}']: '7x3000' },
        at: 2900,
        fires: [],
      },
      { says: 'the next comparison found nothing more', series: { [drift]: '1x5 2x5 0x20' }, at: 25, fires: [] },
    ],
  },
];
