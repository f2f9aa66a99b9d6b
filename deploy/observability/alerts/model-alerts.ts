import { highest, rate } from '../promql/series.js';
import type { Alert } from './alert.js';

const by = ['provider', 'model'];
const failed = rate('ragmesh_llm_calls_total', { by, where: { outcome: { not: /ok|cancelled/ } }, over: '10m' });
const calls = (outcome: string): string =>
  `ragmesh_llm_calls_total{provider="openai", model="large", outcome="${outcome}"}`;
const drift = 'ragmesh_index_drift_points{kind="missing"}';

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
        // Several comparisons: each repairs what it found, so one that finds something is no cause for concern.
        lasting: '1h',
        expr: `${highest('ragmesh_index_drift_points', { by: ['kind'] })} > 0`,
      },
    ],
    scenarios: [
      {
        says: 'points are missing for hours',
        series: { [drift]: '7x200' },
        at: 120,
        fires: [{ severity: 'warning', kind: 'missing' }],
      },
      { says: 'one comparison repaired it', series: { [drift]: '7x20 0x200' }, at: 120, fires: [] },
    ],
  },
];
