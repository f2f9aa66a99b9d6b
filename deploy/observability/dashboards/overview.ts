import type { Dashboard } from '../grafana/dashboard.js';
import { green, red, yellow, type Panel } from '../grafana/panel.js';
import { highest, lowest, quantile, rate, series, total } from '../promql/series.js';
import { ofUsers } from '../slo/routes.js';
import { chosenProcess, chosenService } from './selections.js';

const glance: readonly Panel[] = [
  {
    type: 'stat',
    title: 'Alerts firing',
    description: 'Above 0: the table below names them; each alert has a runbook.',
    unit: 'none',
    queries: [{ expr: `count(${series('ALERTS', { alertname: /Ragmesh.*/, alertstate: 'firing' })}) or vector(0)` }],
    steps: [green, red(1)],
    more: 'ragmesh-slos',
  },
  {
    type: 'stat',
    title: 'Processes not answering',
    description:
      'Copies of services that Prometheus cannot ask for metrics. Above 0: see the runbook RagmeshServiceDown.',
    unit: 'none',
    queries: [{ expr: `count(${series('up', { job: 'ragmesh' })} == 0) or vector(0)` }],
    steps: [green, red(1)],
  },
  {
    type: 'stat',
    title: 'Requests failed',
    description:
      'Share of requests answered with 5xx. Above 0.1 %: look at the errors by code below, then at the breakers.',
    unit: 'percentunit',
    queries: [
      {
        expr: `(${rate('rag_requests_total', { where: { ...ofUsers, status: /5../ } })} or vector(0)) / ${rate('rag_requests_total', { where: ofUsers })}`,
      },
    ],
    steps: [green, yellow(0.001), red(0.01)],
    more: 'ragmesh-slos',
  },
  {
    type: 'stat',
    title: 'Searchable after, p95',
    description:
      'Time from upload to searchable. High: the dashboard Ingestion shows which stage or topic holds it up.',
    unit: 's',
    queries: [{ expr: quantile(0.95, 'ragmesh_freshness_seconds') }],
    steps: [green, yellow(10), red(30)],
    more: 'ragmesh-ingestion',
  },
  {
    type: 'stat',
    title: 'Oldest unhandled event',
    description: 'Highest age over all topics. Growing: the dashboard Messaging names service and topic.',
    unit: 's',
    queries: [{ expr: highest('ragmesh_consumer_lag_seconds') }],
    steps: [green, yellow(60), red(600)],
    more: 'ragmesh-messaging',
  },
  {
    type: 'stat',
    title: 'Dead letters to decide',
    description:
      'Events given up that wait for a person. Above 0: GET /v1/admin/dead-letters?tenant=* lists them by cause.',
    unit: 'none',
    queries: [{ expr: `sum(${highest('ragmesh_dead_letters_open', { by: ['service', 'status'] })})` }],
    steps: [green, yellow(1), red(100)],
    more: 'ragmesh-messaging',
  },
];

const traffic: readonly Panel[] = [
  {
    type: 'timeseries',
    title: 'Requests by status',
    description:
      'Probes left out. 503 with OVERLOAD.SHED means more copies of the gateway or of what it waits for are needed.',
    unit: 'reqps',
    queries: [{ expr: rate('rag_requests_total', { by: ['status'], where: ofUsers }), legend: '{{status}}' }],
    stack: true,
  },
  {
    type: 'timeseries',
    title: 'Latency by route, p95',
    description:
      'Dots are traced requests: a click opens the trace. Buckets end at 10 s, so 10 s reads "10 s or more".',
    unit: 's',
    queries: [
      {
        expr: quantile(0.95, 'rag_request_latency_seconds', { by: ['operation'], where: ofUsers }),
        legend: '{{operation}}',
        exemplars: true,
      },
    ],
    more: 'ragmesh-query',
  },
  {
    type: 'timeseries',
    title: 'Errors by code',
    description:
      'The code says whose turn it is; its advice is part of every answer and of the problem page of the API.',
    unit: 'ops',
    queries: [{ expr: rate('rag_errors_total', { by: ['type'] }), legend: '{{type}}' }],
    stack: true,
  },
  {
    type: 'timeseries',
    title: 'Requests in progress',
    description: 'Near MAX_CONCURRENT_REQUESTS requests are refused: add copies of the gateway, or find what is slow.',
    unit: 'short',
    queries: [{ expr: total('rag_active_requests'), legend: 'in progress' }],
  },
  {
    type: 'timeseries',
    title: 'Circuit breakers',
    description:
      'Open: calls to the dependency fail at once. GET /v1/admin/breakers shows since when and why; mend the dependency.',
    unit: 'none',
    values: { 0: 'closed', 1: 'half open', 2: 'open' },
    queries: [
      {
        expr: highest('ragmesh_breaker_state', { by: ['service', 'dependency'], where: chosenService }),
        legend: '{{service}} → {{dependency}}',
      },
    ],
    steps: [green, yellow(1), red(2)],
  },
  {
    type: 'stat',
    title: 'Without Redis',
    description:
      'Copies that are told to use Redis and have no connection: caches and quotas are of each process alone. See RagmeshRedisAway.',
    unit: 'none',
    width: 4,
    queries: [{ expr: `sum(${series('ragmesh_redis_away')}) or vector(0)` }],
    steps: [green, yellow(1)],
  },
  {
    type: 'table',
    title: 'Firing alerts',
    description: 'What fires now. Prometheus shows advice, runbook and dashboard of each.',
    unit: 'none',
    width: 8,
    queries: [
      {
        expr: `count by (alertname, severity) (${series('ALERTS', { alertname: /Ragmesh.*/, alertstate: 'firing' })})`,
      },
    ],
  },
];

const processes: readonly Panel[] = [
  {
    type: 'timeseries',
    title: 'Event loop delay, p99',
    description:
      'Above 0.1 s a service answers late whatever it does: find the blocking work in a CPU profile, or add copies.',
    unit: 's',
    queries: [
      {
        expr: highest('ragmesh_event_loop_delay_seconds', { by: ['service_name'], where: chosenProcess }),
        legend: '{{service_name}}',
      },
    ],
    steps: [green, yellow(0.1), red(0.5)],
  },
  {
    type: 'timeseries',
    title: 'CPU',
    description: 'Cores in use. At the limit of the container: add copies.',
    unit: 'short',
    queries: [
      {
        expr: rate('process_cpu_seconds_total', { by: ['service_name'], where: chosenProcess }),
        legend: '{{service_name}}',
      },
    ],
  },
  {
    type: 'timeseries',
    title: 'Memory',
    description:
      'Resident memory of the largest copy, and its heap. Growing without end: take a heap snapshot, then restart.',
    unit: 'bytes',
    queries: [
      {
        expr: highest('process_resident_memory_bytes', { by: ['service_name'], where: chosenProcess }),
        legend: '{{service_name}}',
      },
      {
        expr: highest('nodejs_heap_size_used_bytes', { by: ['service_name'], where: chosenProcess }),
        legend: '{{service_name}} heap',
      },
    ],
  },
];

const DAY = 86_400;
const certificates: Panel = {
  type: 'timeseries',
  title: 'Certificates expire in',
  description:
    'Time left of each certificate in use, by the variable that names its file. Below 14 days: see the runbook RagmeshCertificateExpiring.',
  unit: 's',
  queries: [
    {
      expr: `${lowest('ragmesh_certificate_expiry_timestamp_seconds', { by: ['service_name', 'certificate'], where: chosenProcess })} - time()`,
      legend: '{{service_name}} {{certificate}}',
    },
  ],
  steps: [{ from: null, colour: 'red' }, yellow(3 * DAY), { from: 14 * DAY, colour: 'green' }],
};

export const overview: Dashboard = {
  uid: 'ragmesh-overview',
  title: 'ragmesh: overview',
  description: 'Whether users are served and, if not, which dashboard to open next.',
  rows: [
    { title: 'At a glance', panels: glance },
    { title: 'Requests', panels: traffic },
    { title: 'Processes', panels: [...processes, certificates] },
  ],
};
