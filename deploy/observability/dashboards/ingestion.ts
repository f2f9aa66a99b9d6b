import type { Dashboard } from '../grafana/dashboard.js';
import { green, red, yellow, type Panel } from '../grafana/panel.js';
import { highest, observations, quantile, rate, series } from '../promql/series.js';

const stages = { stage: /parse|embed|index/ };

const fromUpload: readonly Panel[] = [
  {
    type: 'timeseries',
    title: 'Documents made searchable',
    description: 'Per second. Falls to 0 while uploads go on: look at the sagas below, then at Messaging.',
    unit: 'ops',
    queries: [{ expr: observations('ragmesh_freshness_seconds'), legend: 'documents' }],
  },
  {
    type: 'timeseries',
    title: 'From upload to searchable',
    description: 'Above the objective (see SLOs): the stage that grew with it is the place to add copies.',
    unit: 's',
    queries: [0.5, 0.95, 0.99].map((of) => ({
      expr: quantile(of, 'ragmesh_freshness_seconds'),
      legend: `p${of * 100}`,
      exemplars: true,
    })),
    steps: [green, yellow(10), red(30)],
    more: 'ragmesh-slos',
  },
  {
    type: 'timeseries',
    title: 'Documents that wait for their turn',
    description:
      'Accepted and not begun, because INGESTION_IN_FLIGHT documents of their tenant are on their way. Grows while stages are idle: raise it. Other tenants do not wait for these.',
    unit: 'short',
    queries: [{ expr: highest('ragmesh_ingestions_waiting'), legend: 'waiting' }],
  },
  {
    type: 'timeseries',
    title: 'Longest wait for a turn',
    description: 'How long the document that waits longest has. Grows for hours: add copies of the slow stage below.',
    unit: 's',
    queries: [{ expr: highest('ragmesh_ingestions_waiting_seconds'), legend: 'oldest' }],
  },
  {
    type: 'timeseries',
    title: 'From a change of access to everywhere, p95',
    description:
      'Until points are tagged anew (vector) and kept results are gone (retrieval). Narrower lists hold at once, whatever this is; wider ones after it. Grows: look at the lag of access.changed.',
    unit: 's',
    queries: [
      {
        expr: quantile(0.95, 'ragmesh_access_lag_seconds', { by: ['service'] }),
        legend: '{{service}}',
        exemplars: true,
      },
    ],
  },
  {
    type: 'timeseries',
    title: 'Time of a stage, p95',
    description:
      'parse: reading a file; embed: vectors of a batch of chunks; index: writing a batch. Scale the slow one: document, embedding or vector.',
    unit: 's',
    queries: [
      {
        expr: quantile(0.95, 'ragmesh_stage_duration_seconds', { by: ['stage'], where: stages }),
        legend: '{{stage}}',
        exemplars: true,
      },
    ],
  },
  {
    type: 'timeseries',
    title: 'Work of a stage',
    description: 'Files read, batches embedded and batches indexed per second.',
    unit: 'ops',
    queries: [
      { expr: observations('ragmesh_stage_duration_seconds', { by: ['stage'], where: stages }), legend: '{{stage}}' },
    ],
  },
  {
    type: 'timeseries',
    title: 'Fetches from addresses users named',
    description: 'Many EGRESS.REFUSED: somebody tries addresses that are not public; the gateway logs name the tenant.',
    unit: 'ops',
    queries: [{ expr: rate('ragmesh_egress_requests_total', { by: ['outcome'] }), legend: '{{outcome}}' }],
    stack: true,
  },
];

const sagas: readonly Panel[] = [
  {
    type: 'timeseries',
    title: 'Sagas by state',
    description:
      'Ingestions and deletions under way. compensation_failed: an undo gets nowhere; GET /v1/admin/sagas?state=compensation_failed&tenant=* says why.',
    unit: 'short',
    queries: [{ expr: highest('ragmesh_sagas', { by: ['saga', 'state'] }), legend: '{{saga}} {{state}}' }],
    width: 12,
  },
  {
    type: 'timeseries',
    title: 'Sagas overdue',
    description:
      'Past the deadline of their step. For minutes above 0: GET /v1/admin/sagas?overdue=true&tenant=*, then resume or abort.',
    unit: 'short',
    queries: [{ expr: highest('ragmesh_sagas_overdue', { by: ['saga'] }), legend: '{{saga}}' }],
    steps: [green, red(1)],
    width: 12,
  },
];

const index: readonly Panel[] = [
  {
    type: 'timeseries',
    title: 'Points in the index',
    description: 'visible are found by searches; staged wait for their document to be whole and fall back to 0.',
    unit: 'short',
    queries: [{ expr: highest('ragmesh_points', { by: ['state'] }), legend: '{{state}}' }],
    width: 12,
  },
  {
    type: 'timeseries',
    title: 'Index against its rows',
    description:
      'Points missing, extra or stale at the last comparison; each comparison repairs them. Above 0 again and again: something else writes to the store.',
    unit: 'short',
    queries: [{ expr: highest('ragmesh_index_drift_points', { by: ['kind'] }), legend: '{{kind}}' }],
    steps: [green, yellow(1)],
    width: 12,
  },
  {
    type: 'timeseries',
    title: 'Comparisons in a row that found a difference',
    description:
      '1 is a repair. 3 and more: what is repaired is lost again; the runbook RagmeshIndexDrift says where to look.',
    unit: 'short',
    queries: [{ expr: highest('ragmesh_index_drift_rounds', { by: ['kind'] }), legend: '{{kind}}' }],
    steps: [green, yellow(3)],
  },
];

const arriving: Panel = {
  type: 'timeseries',
  title: 'Uploads',
  description:
    'Requests to the routes that take documents, by status. 413 and 422 are the files; 507: the disk is full.',
  unit: 'reqps',
  queries: [
    {
      expr: rate('rag_requests_total', {
        by: ['operation', 'status'],
        where: { operation: new RegExp('/v1/documents|/v1/documents/:id|/api/v1/documents|/documents|/index') },
      }),
      legend: '{{operation}} {{status}}',
    },
  ],
};

/** Which of the copies restarted lately: a parser that dies with its file shows here. */
const restarts: Panel = {
  type: 'timeseries',
  title: 'Age of processes',
  description:
    'Time since the youngest copy started. Saw teeth: it crashes and is started again; read its last log lines.',
  unit: 's',
  queries: [
    { expr: `time() - max by (service_name) (${series('process_start_time_seconds')})`, legend: '{{service_name}}' },
  ],
};

export const ingestion: Dashboard = {
  uid: 'ragmesh-ingestion',
  title: 'ragmesh: ingestion',
  description: 'From upload to searchable: how long, where the time goes and what is stuck.',
  rows: [
    { title: 'From upload to searchable', panels: [arriving, ...fromUpload] },
    { title: 'Sagas', panels: sagas },
    { title: 'Index', panels: [...index, restarts] },
  ],
};
