import type { Dashboard } from '../grafana/dashboard.js';
import { green, red, yellow, type Panel } from '../grafana/panel.js';
import { highest, increaseFromNothing, quantile, rate, total } from '../promql/series.js';
import { chosenService } from './selections.js';

const where = chosenService;
const byHandler = ['service', 'handler'];

const consumers: readonly Panel[] = [
  {
    type: 'timeseries',
    title: 'Oldest unhandled event',
    description:
      'Age by service and topic. Growing: its handlers fail (see retries) or are too few; add copies of that service.',
    unit: 's',
    queries: [
      {
        expr: highest('ragmesh_consumer_lag_seconds', { by: ['service', 'topic'], where }),
        legend: '{{service}} {{topic}}',
      },
    ],
    steps: [green, yellow(60), red(600)],
  },
  {
    type: 'timeseries',
    title: 'Unhandled events',
    description: 'Over all copies. Falling while the age is high: it catches up, wait. Rising: add copies.',
    unit: 'short',
    queries: [
      {
        expr: total('ragmesh_consumer_lag_records', { by: ['service', 'topic'], where }),
        legend: '{{service}} {{topic}}',
      },
    ],
  },
  {
    type: 'timeseries',
    title: 'Events handled',
    description:
      'By outcome: ack and skip are done, duplicate was done before, retry comes again, dead-letter was given up.',
    unit: 'ops',
    queries: [{ expr: rate('ragmesh_events_handled_total', { by: ['outcome'], where }), legend: '{{outcome}}' }],
    stack: true,
  },
  {
    type: 'timeseries',
    title: 'Retries by handler',
    description:
      'A handler that keeps retrying waits for something: its warnings in the log and the breakers say for what.',
    unit: 'ops',
    queries: [
      {
        expr: rate('ragmesh_events_handled_total', { by: byHandler, where: { ...where, outcome: 'retry' } }),
        legend: '{{handler}}',
      },
    ],
  },
  {
    type: 'timeseries',
    title: 'Time of an attempt, p95',
    description:
      'Near 10 s, the last bucket, a handler is close to its deadline: smaller batches, or a faster dependency.',
    unit: 's',
    queries: [
      {
        expr: quantile(0.95, 'ragmesh_event_duration_seconds', { by: byHandler, where }),
        legend: '{{handler}}',
        exemplars: true,
      },
    ],
  },
  {
    type: 'timeseries',
    title: 'Events handled by handler',
    description:
      'Which work the mesh does. A handler at 0 while its topic has lag: no copy of its service is consuming.',
    unit: 'ops',
    queries: [{ expr: rate('ragmesh_events_handled_total', { by: byHandler, where }), legend: '{{handler}}' }],
  },
];

const outboxes: readonly Panel[] = [
  {
    type: 'timeseries',
    title: 'Oldest unpublished event',
    description:
      'Growing: the service cannot reach the bus. Nothing is lost; check Kafka, then npm run topics -- diff.',
    unit: 's',
    width: 12,
    queries: [{ expr: highest('ragmesh_outbox_oldest_seconds', { by: ['service'], where }), legend: '{{service}}' }],
    steps: [green, yellow(60), red(300)],
  },
  {
    type: 'timeseries',
    title: 'Unpublished events',
    description: 'Committed and not yet published, by service. A hill that falls by itself is a burst.',
    unit: 'short',
    width: 12,
    queries: [{ expr: highest('ragmesh_outbox_pending', { by: ['service'], where }), legend: '{{service}}' }],
  },
];

const deadLetters: readonly Panel[] = [
  {
    type: 'timeseries',
    title: 'Dead letters to decide',
    description: 'parked wait for replay or discard, replaying are under way, quarantined failed three replays.',
    unit: 'short',
    queries: [
      {
        expr: highest('ragmesh_dead_letters_open', { by: ['service', 'status'], where }),
        legend: '{{service}} {{status}}',
      },
    ],
    steps: [green, yellow(1), red(100)],
  },
  {
    type: 'timeseries',
    title: 'Given up by cause, per 15 minutes',
    description: 'The code says what to mend; then POST /v1/admin/dead-letters/replay with that reason.',
    unit: 'short',
    queries: [
      {
        expr: increaseFromNothing('ragmesh_dead_letters_total', ['service', 'code'], '15m'),
        legend: '{{service}} {{code}}',
      },
    ],
    stack: true,
  },
  {
    type: 'table',
    title: 'Given up by handler, last day',
    description: 'The handlers that gave events up, and why.',
    unit: 'none',
    width: 8,
    queries: [
      { expr: `${increaseFromNothing('ragmesh_dead_letters_total', ['service', 'handler', 'code'], '1d')} > 0` },
    ],
  },
];

export const messaging: Dashboard = {
  uid: 'ragmesh-messaging',
  title: 'ragmesh: messaging and dead letters',
  description: 'Whether events flow: what waits to be published, what waits to be handled, what was given up.',
  rows: [
    { title: 'Consumers', panels: consumers },
    { title: 'Outboxes', panels: outboxes },
    { title: 'Dead letters', panels: deadLetters },
  ],
};
