import { serviceNames, type ServiceName } from '@ragmesh/contracts';
import { highest, lowest, series } from '../promql/series.js';
import type { Alert } from './alert.js';

const breaker = 'ragmesh_breaker_state{service="retrieval", dependency="embedding", instance="a"}';
const redis = (instance: string): string =>
  `ragmesh_redis_away{service="gateway", namespace="quota", instance="${instance}"}`;
const breakers = ['service', 'dependency'];
const certificate = { service_name: 'gateway', certificate: 'SERVER_TLS_CERT_FILE' };
const expiry = (instance: string): string =>
  `ragmesh_certificate_expiry_timestamp_seconds{service_name="gateway", certificate="SERVER_TLS_CERT_FILE", instance="${instance}"}`;
/** What is left of each certificate, in the copy that has the oldest. */
const leftOfCertificate = `${lowest('ragmesh_certificate_expiry_timestamp_seconds', { by: ['service_name', 'certificate'] })} - time()`;
const DAY = 86_400;
const loop = 'ragmesh_event_loop_delay_seconds{service_name="vector", instance="a"}';

const upOf = (service: ServiceName): string => series('up', { job: 'ragmesh', service_name: service });
/** What says that there is a mesh at all, and not standalone, which is one process without a service's name. */
const anyService = series('up', { job: 'ragmesh', service_name: { not: '' } });
/** A mesh that runs but for one service. */
const allBut = (missing?: ServiceName): Readonly<Record<string, string>> =>
  Object.fromEntries(serviceNames.filter((name) => name !== missing).map((name) => [upOf(name), '1x20']));

/** Processes and what they call. */
export const processAlerts: readonly Alert[] = [
  {
    name: 'RagmeshServiceDown',
    summary: 'A copy of {{ $labels.service_name }} does not answer ({{ $labels.instance }}).',
    advice: 'Read its last log lines; if it restarts again and again, the first fatal line says why.',
    dashboard: 'ragmesh-overview',
    conditions: [{ severity: 'critical', lasting: '2m', expr: `${series('up', { job: 'ragmesh' })} == 0` }],
    scenarios: [
      {
        says: 'one copy of two is gone for five minutes',
        series: {
          'up{job="ragmesh", service_name="vector", instance="a"}': '1 1 0x10',
          'up{job="ragmesh", service_name="vector", instance="b"}': '1x12',
        },
        at: 6,
        fires: [{ severity: 'critical', job: 'ragmesh', service_name: 'vector', instance: 'a' }],
      },
      {
        says: 'a copy restarts within a minute',
        series: { 'up{job="ragmesh", service_name="vector", instance="a"}': '1 0 1x10' },
        at: 6,
        fires: [],
      },
    ],
  },
  {
    name: 'RagmeshServiceMissing',
    summary: 'Prometheus knows of no copy of {{ $labels.service_name }}.',
    advice:
      'Look whether it was scaled to nothing, is refused by the scheduler, or lost its place in the scrape configuration.',
    dashboard: 'ragmesh-overview',
    conditions: [
      {
        severity: 'critical',
        lasting: '5m',
        // A copy that is gone has no series that could be 0, so each service is asked for by its name.
        expr: `(${serviceNames.map((name) => `absent(${upOf(name)})`).join(' or ')}) and on () ${anyService}`,
      },
    ],
    scenarios: [
      ...serviceNames.map((name) => ({
        says: `${name} is scaled to nothing`,
        series: allBut(name),
        at: 10,
        fires: [{ severity: 'critical' as const, job: 'ragmesh', service_name: name }],
      })),
      { says: 'all are there', series: allBut(), at: 10, fires: [] },
      {
        says: 'a service without its last copy for a moment',
        series: { ...allBut('vector'), [upOf('vector')]: '1 _x3 1x16' },
        at: 6,
        fires: [],
      },
      {
        says: 'a target that is down is another alert',
        series: { ...allBut('vector'), [upOf('vector')]: '0x20' },
        at: 10,
        fires: [],
      },
      { says: 'standalone is one process for all', series: { 'up{job="ragmesh"}': '1x20' }, at: 10, fires: [] },
    ],
  },
  {
    name: 'RagmeshNotScraped',
    summary: 'Prometheus knows of no process of ragmesh.',
    advice: 'Every other alert is blind now: check the scrape configuration and the targets page of Prometheus.',
    dashboard: 'ragmesh-overview',
    conditions: [{ severity: 'critical', lasting: '5m', expr: `absent(${series('up', { job: 'ragmesh' })})` }],
    scenarios: [
      {
        says: 'no target at all',
        series: { 'up{job="other"}': '1x20' },
        at: 10,
        fires: [{ severity: 'critical', job: 'ragmesh' }],
      },
      { says: 'a target that is down is another alert', series: { 'up{job="ragmesh"}': '0x20' }, at: 10, fires: [] },
    ],
  },
  {
    name: 'RagmeshBreakerOpen',
    summary: '{{ $labels.service }} has stopped calling {{ $labels.dependency }}: its calls failed.',
    advice: 'GET /v1/admin/breakers shows calls and failures; mend the dependency, the breaker closes by itself.',
    dashboard: 'ragmesh-overview',
    conditions: [
      {
        severity: 'warning',
        lasting: '2m',
        // Half open counts: while the dependency stays away, a breaker goes back and forth. But it also stays half open until somebody calls.
        expr: `${highest('ragmesh_breaker_state', { by: breakers })} > 0 and max by (${breakers.join(', ')}) (max_over_time(${series('ragmesh_breaker_state')}[5m])) == 2`,
      },
    ],
    scenarios: [
      {
        says: 'open, with attempts in between',
        series: { [breaker]: '0 2 2 1 2 2 1 2 2' },
        at: 5,
        fires: [{ severity: 'warning', service: 'retrieval', dependency: 'embedding' }],
      },
      {
        says: 'away, and called every four minutes',
        series: { [breaker]: '0 2 1 1 1 2 1 1 1 2 1 1 1 2' },
        at: 12,
        fires: [{ severity: 'warning', service: 'retrieval', dependency: 'embedding' }],
      },
      { says: 'open for a minute', series: { [breaker]: '0 2 0x10' }, at: 5, fires: [] },
      {
        says: 'half open since a brief fault, because nobody calls',
        series: { [breaker]: '0 2 1x60' },
        at: 30,
        fires: [],
      },
    ],
  },
  {
    name: 'RagmeshRedisAway',
    summary: '{{ $labels.service }} has no connection to Redis, where it keeps {{ $labels.namespace }}.',
    advice: 'Reach REDIS_URL from a container of that service; until then each process keeps and counts for itself.',
    dashboard: 'ragmesh-overview',
    conditions: [
      {
        severity: 'warning',
        lasting: '2m',
        expr: `${highest('ragmesh_redis_away', { by: ['service', 'namespace'] })} == 1`,
      },
    ],
    scenarios: [
      {
        says: 'one copy of two does not reach it',
        series: { [redis('a')]: '0 1x10', [redis('b')]: '0x11' },
        at: 5,
        fires: [{ severity: 'warning', service: 'gateway', namespace: 'quota' }],
      },
      { says: 'it restarts within a minute', series: { [redis('a')]: '0 1 0x10' }, at: 5, fires: [] },
    ],
  },
  {
    name: 'RagmeshEventLoopBlocked',
    summary: '{{ $labels.service_name }} is blocked: its event loop is late by half a second or more.',
    advice: 'Add copies; then take a CPU profile and move the blocking work into a worker thread.',
    dashboard: 'ragmesh-overview',
    conditions: [
      {
        severity: 'warning',
        lasting: '5m',
        expr: `${highest('ragmesh_event_loop_delay_seconds', { by: ['service_name', 'instance'] })} >= 0.5`,
      },
    ],
    scenarios: [
      {
        says: 'late for ten minutes',
        series: { [loop]: '0.9x20' },
        at: 10,
        fires: [{ severity: 'warning', service_name: 'vector', instance: 'a' }],
      },
      { says: 'late for a moment', series: { [loop]: '0.01 0.9 0.9 0.01x20' }, at: 10, fires: [] },
    ],
  },
  {
    name: 'RagmeshCertificateExpiring',
    summary: 'What {{ $labels.certificate }} of {{ $labels.service_name }} names expires soon, or has expired.',
    advice: 'Renew the file where it has not been; where it has, restart what took the old one at its start.',
    dashboard: 'ragmesh-overview',
    conditions: [
      { severity: 'warning', lasting: '10m', expr: `${leftOfCertificate} < ${14 * DAY}` },
      { severity: 'critical', lasting: '10m', expr: `${leftOfCertificate} < ${3 * DAY}` },
    ],
    scenarios: [
      {
        says: 'one copy of two still has a certificate of ten days',
        series: { [expiry('a')]: `${10 * DAY}x30`, [expiry('b')]: `${80 * DAY}x30` },
        at: 20,
        fires: [{ severity: 'warning', ...certificate }],
      },
      {
        says: 'two days are left',
        series: { [expiry('a')]: `${2 * DAY}x30` },
        at: 20,
        fires: [
          { severity: 'warning', ...certificate },
          { severity: 'critical', ...certificate },
        ],
      },
      {
        says: 'it has expired',
        series: { [expiry('a')]: '300x30' },
        at: 20,
        fires: [
          { severity: 'warning', ...certificate },
          { severity: 'critical', ...certificate },
        ],
      },
      { says: 'three weeks are left', series: { [expiry('a')]: `${21 * DAY}x30` }, at: 20, fires: [] },
      {
        says: 'it is renewed in time',
        series: { [expiry('a')]: `${2 * DAY}x5 ${90 * DAY}x30` },
        at: 20,
        fires: [],
      },
    ],
  },
];
