import { highest, rate, series } from '../promql/series.js';
import type { Alert } from './alert.js';

const topic = { service: 'vector', topic: 'chunks.embedded' };
const lag = (kind: 'seconds' | 'records'): string =>
  `ragmesh_consumer_lag_${kind}{service="vector", topic="chunks.embedded", instance="a"}`;
const outbox = 'ragmesh_outbox_oldest_seconds{service="document", instance="a"}';
const handled = (outcome: string): string =>
  `ragmesh_events_handled_total{service="vector", handler="vector.index-chunks", outcome="${outcome}"}`;

const waiting = (what: string): string => `ragmesh_ingestions_waiting${what}{service="document", instance="a"}`;

const byTopic = ['service', 'topic'];
const byHandler = ['service', 'handler'];
const growing = `sum by (service, topic) (delta(${series('ragmesh_consumer_lag_records')}[10m])) >= 0`;
const retries = rate('ragmesh_events_handled_total', { by: byHandler, where: { outcome: 'retry' }, over: '10m' });

/** Events, and documents before their first one, that do not flow. */
export const messagingAlerts: readonly Alert[] = [
  {
    name: 'RagmeshConsumerLagging',
    summary: '{{ $labels.service }} is behind on {{ $labels.topic }}.',
    advice: 'Add copies of the service if its handlers succeed; if they retry, mend what they wait for.',
    dashboard: 'ragmesh-messaging',
    conditions: [
      {
        severity: 'warning',
        lasting: '5m',
        // A backlog that shrinks needs nobody, however old its oldest event is.
        expr: `${highest('ragmesh_consumer_lag_seconds', { by: byTopic })} > 120 and ${growing}`,
      },
      {
        severity: 'critical',
        lasting: '5m',
        expr: `${highest('ragmesh_consumer_lag_seconds', { by: byTopic })} > 900`,
      },
    ],
    scenarios: [
      {
        says: 'behind and falling further behind',
        series: { [lag('seconds')]: '0+60x14', [lag('records')]: '0+50x14' },
        at: 12,
        fires: [{ severity: 'warning', ...topic }],
      },
      {
        says: 'behind and catching up',
        series: { [lag('seconds')]: '600x30', [lag('records')]: '10000-300x30' },
        at: 25,
        fires: [],
      },
      {
        says: 'nothing is handled at all for half an hour',
        series: { [lag('seconds')]: '0+60x30', [lag('records')]: '100x30' },
        at: 28,
        fires: [
          { severity: 'warning', ...topic },
          { severity: 'critical', ...topic },
        ],
      },
    ],
  },
  {
    name: 'RagmeshIngestionsWaiting',
    summary: 'Accepted documents have waited for their turn for over 15 minutes, and they become no fewer.',
    advice:
      'Raise INGESTION_IN_FLIGHT where the services of ingestion are idle; add copies of the slowest where they are not.',
    dashboard: 'ragmesh-ingestion',
    conditions: [
      {
        severity: 'warning',
        lasting: '5m',
        // What waits is no lag of any topic. A backlog that shrinks needs nobody, however old its oldest document is.
        expr: `${highest('ragmesh_ingestions_waiting_seconds')} > 900 and max(delta(${series('ragmesh_ingestions_waiting')}[10m])) >= 0`,
      },
    ],
    scenarios: [
      {
        says: 'more are uploaded than may begin',
        series: { [waiting('_seconds')]: '0+60x30', [waiting('')]: '0+50x30' },
        at: 25,
        fires: [{ severity: 'warning' }],
      },
      {
        says: 'none begins',
        series: { [waiting('_seconds')]: '0+60x30', [waiting('')]: '10x30' },
        at: 25,
        fires: [{ severity: 'warning' }],
      },
      {
        says: 'a big import is worked off',
        series: { [waiting('_seconds')]: '0+60x60', [waiting('')]: '10000-100x60' },
        at: 50,
        fires: [],
      },
      {
        says: 'a burst waits for ten minutes',
        series: { [waiting('_seconds')]: '0+60x10 0x20', [waiting('')]: '500x10 0x20' },
        at: 20,
        fires: [],
      },
    ],
  },
  {
    name: 'RagmeshOutboxDelayed',
    summary: '{{ $labels.service }} cannot publish its events.',
    advice: 'Nothing is lost. Check that Kafka answers and that "npm run topics -- diff" finds all topics.',
    dashboard: 'ragmesh-messaging',
    conditions: [
      {
        severity: 'warning',
        lasting: '2m',
        expr: `${highest('ragmesh_outbox_oldest_seconds', { by: ['service'] })} > 60`,
      },
      {
        severity: 'critical',
        lasting: '2m',
        expr: `${highest('ragmesh_outbox_oldest_seconds', { by: ['service'] })} > 300`,
      },
    ],
    scenarios: [
      {
        says: 'the bus is away',
        series: { [outbox]: '0+60x20' },
        at: 4,
        fires: [{ severity: 'warning', service: 'document' }],
      },
      {
        says: 'the bus stays away',
        series: { [outbox]: '0+60x20' },
        at: 10,
        fires: [
          { severity: 'warning', service: 'document' },
          { severity: 'critical', service: 'document' },
        ],
      },
      { says: 'a burst', series: { [outbox]: '0 90 10 0x20' }, at: 4, fires: [] },
    ],
  },
  {
    name: 'RagmeshHandlerRetrying',
    summary: '{{ $labels.handler }} of {{ $labels.service }} fails at most of its attempts.',
    advice: 'Its warnings in the log carry the error code; the breakers show which dependency is away.',
    dashboard: 'ragmesh-messaging',
    conditions: [
      {
        severity: 'warning',
        lasting: '10m',
        expr: `${retries} / ${rate('ragmesh_events_handled_total', { by: byHandler, over: '10m' })} > 0.5`,
      },
    ],
    scenarios: [
      {
        says: 'two of three attempts fail',
        series: { [handled('ack')]: '0+10x40', [handled('retry')]: '0+20x40' },
        at: 25,
        fires: [{ severity: 'warning', service: 'vector', handler: 'vector.index-chunks' }],
      },
      {
        says: 'one of eleven attempts fails',
        series: { [handled('ack')]: '0+10x40', [handled('retry')]: '0+1x40' },
        at: 25,
        fires: [],
      },
    ],
  },
];
