import { highest, increaseFromNothing } from '../promql/series.js';
import type { Alert } from './alert.js';

const overdue = 'ragmesh_sagas_overdue{saga="document-ingestion", instance="a"}';
const cause = { service: 'vector', handler: 'vector.index-chunks', code: 'EVENT.INVALID' };
const given =
  'ragmesh_dead_letters_total{service="vector", handler="vector.index-chunks", code="EVENT.INVALID", instance="a"}';
const open = (status: string): string => `ragmesh_dead_letters_open{service="vector", status="${status}"}`;
const arriving = increaseFromNothing('ragmesh_dead_letters_total', ['service', 'handler', 'code'], '15m');

/** What waits for a person to decide. */
export const decisionAlerts: readonly Alert[] = [
  {
    name: 'RagmeshSagasOverdue',
    summary: 'Sagas "{{ $labels.saga }}" are past the deadline of their step and get nowhere.',
    advice:
      'GET /v1/admin/sagas?overdue=true&tenant=* says which and why; resume them once the cause is gone, or abort them.',
    dashboard: 'ragmesh-ingestion',
    conditions: [
      { severity: 'warning', lasting: '10m', expr: `${highest('ragmesh_sagas_overdue', { by: ['saga'] })} > 0` },
    ],
    scenarios: [
      {
        says: 'one saga is stuck',
        series: { [overdue]: '0 1x30' },
        at: 15,
        fires: [{ severity: 'warning', saga: 'document-ingestion' }],
      },
      { says: 'a deadline passed and the timer asked again', series: { [overdue]: '0 1 1 0x30' }, at: 15, fires: [] },
    ],
  },
  {
    name: 'RagmeshDeadLettersArriving',
    summary: '{{ $labels.handler }} of {{ $labels.service }} gives events up: {{ $labels.code }}.',
    advice:
      'GET /v1/admin/dead-letters?tenant=* lists them by cause; mend the cause, then POST /v1/admin/dead-letters/replay.',
    dashboard: 'ragmesh-messaging',
    conditions: [
      { severity: 'warning', lasting: '0m', expr: `${arriving} > 0` },
      { severity: 'critical', lasting: '0m', expr: `${arriving} > 100` },
    ],
    scenarios: [
      {
        says: 'the very first dead letter of a process, which makes the series',
        series: { [given]: '_x20 1x30' },
        at: 22,
        fires: [{ severity: 'warning', ...cause }],
      },
      { says: 'the same one, half an hour later', series: { [given]: '_x20 1x60' }, at: 50, fires: [] },
      { says: 'old ones, 15 minutes after a scrape failed', series: { [given]: '1x60 stale 1x60' }, at: 76, fires: [] },
      {
        says: 'old ones, 15 minutes after ten minutes without a scrape',
        series: { [given]: '1x60 stale _x9 1x60' },
        at: 79,
        fires: [],
      },
      {
        says: 'the first one of a process that began 45 minutes ago, in the place of one that gave up as many',
        series: { [given]: '1x30 stale _x45 1x30' },
        at: 80,
        fires: [{ severity: 'warning', ...cause }],
      },
      {
        says: 'whatever arrives is given up',
        series: { [given]: '0+20x30' },
        at: 20,
        fires: [
          { severity: 'warning', ...cause },
          { severity: 'critical', ...cause },
        ],
      },
    ],
  },
  {
    name: 'RagmeshDeadLettersUndecided',
    summary: 'Dead letters of {{ $labels.service }} have been {{ $labels.status }} for a day.',
    advice: 'Replay or discard them; quarantined ones failed three replays, so their cause is not gone.',
    dashboard: 'ragmesh-messaging',
    conditions: [
      {
        severity: 'warning',
        lasting: '1d',
        expr: `${highest('ragmesh_dead_letters_open', { by: ['service', 'status'], where: { status: { not: 'replaying' } } })} > 0`,
      },
    ],
    scenarios: [
      {
        says: 'nobody decided',
        series: { [open('parked')]: '2x1500', [open('replaying')]: '2x1500' },
        at: 1450,
        fires: [{ severity: 'warning', service: 'vector', status: 'parked' }],
      },
      { says: 'replayed after an hour', series: { [open('quarantined')]: '2x60 0x1440' }, at: 1450, fires: [] },
    ],
  },
];
