import type { Dashboard } from '../grafana/dashboard.js';
import { green, red, type Panel, type Step } from '../grafana/panel.js';
import { series } from '../promql/series.js';
import { objectives, type Objective } from '../slo/objectives.js';
import { PERIOD } from '../slo/burn-rates.js';

const emptyIsRed: readonly Step[] = [
  { from: null, colour: 'red' },
  { from: 0.1, colour: 'yellow' },
  { from: 0.5, colour: 'green' },
];

const budget = ({ id, says, advice, dashboard }: Objective): Panel => ({
  type: 'stat',
  title: `${id}: budget left`,
  description: `${says} What is left of the failures this allows in 30 days; below 0 the promise is broken. ${advice}`,
  unit: 'percentunit',
  queries: [{ expr: `slo:budget_left:ratio{slo="${id}"}` }],
  steps: emptyIsRed,
  more: dashboard,
});

const burn = ({ id, target, says, advice, dashboard }: Objective): Panel => ({
  type: 'timeseries',
  title: `${id}: burn rate`,
  description: `${says} 1 uses up the budget in exactly 30 days; from 14.4 over an hour somebody is woken up. ${advice}`,
  unit: 'short',
  queries: ['5m', '1h', '6h', '3d'].map((window) => ({
    expr: `slo:error_ratio:rate${window}{slo="${id}"} / ${Number((1 - target).toPrecision(6))}`,
    legend: window,
  })),
  steps: [green, red(14.4)],
  more: dashboard,
});

const table: Panel = {
  type: 'table',
  title: 'Objectives',
  description: 'Target and failed share of 30 days. What to do is in the runbook of each objective.',
  unit: 'percentunit',
  queries: [
    { expr: 'slo:target:ratio', legend: 'target' },
    { expr: `slo:error_ratio:rate${PERIOD}`, legend: 'failed' },
  ],
};

const history: Panel = {
  type: 'timeseries',
  title: 'Alerts over time',
  description: 'Each bar is an alert that fires. The same one every night: mend its cause or its limit.',
  unit: 'short',
  width: 12,
  stack: true,
  queries: [
    {
      expr: `count by (alertname) (${series('ALERTS', { alertname: /Ragmesh.*/, alertstate: 'firing' })})`,
      legend: '{{alertname}}',
    },
  ],
};

export const slos: Dashboard = {
  uid: 'ragmesh-slos',
  title: 'ragmesh: SLOs',
  description: 'What users were promised, how much of it is used up, and how fast.',
  rows: [
    { title: 'Error budgets, 30 days', panels: objectives.map(budget) },
    { title: 'Burn rates', panels: objectives.map(burn) },
    { title: 'Objectives and alerts', panels: [table, history] },
  ],
};
