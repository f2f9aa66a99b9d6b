import { objectives, type Objective } from '../slo/objectives.js';
import { critical, warning } from '../slo/burn-rates.js';
import { burnExpression } from '../slo/recordings.js';
import type { Alert, Scenario } from './alert.js';

const PER_MINUTE = 10_000;

/** Events for so many minutes, of which so many fail every minute. */
interface Phase {
  readonly minutes: number;
  readonly bad: number;
  readonly all: number;
}

/** A counter that grows as its phases say, as promtool writes it. */
function counted(phases: readonly Phase[], perMinute: (phase: Phase) => number): string {
  let reached = 0;
  const parts = phases.map((phase) => {
    const step = perMinute(phase);
    const part = `${reached + step}+${step}x${phase.minutes - 1}`;
    reached += step * phase.minutes;
    return part;
  });
  return ['0', ...parts].join(' ');
}

type Traffic = (phases: readonly Phase[]) => Scenario['series'];

const histogram = (name: string, labels: string, limit: string): Traffic => {
  const inner = labels === '' ? '' : `${labels}, `;
  return (phases) => ({
    [`${name}_bucket{${inner}le="${limit}"}`]: counted(phases, ({ all, bad }) => all - bad),
    [`${name}_bucket{${inner}le="+Inf"}`]: counted(phases, ({ all }) => all),
    [`${name}_count{${labels}}`]: counted(phases, ({ all }) => all),
  });
};

const requests: Traffic = (phases) => ({
  'rag_requests_total{operation="/v1/search", status="200"}': counted(phases, ({ all, bad }) => all - bad),
  // A process that never failed has no such series.
  ...(phases.some(({ bad }) => bad > 0)
    ? { 'rag_requests_total{operation="/v1/search", status="503"}': counted(phases, ({ bad }) => bad) }
    : {}),
  'rag_requests_total{operation="/readyz", status="503"}': counted(phases, () => 1000),
});

const traffic: Readonly<Record<string, Traffic>> = {
  availability: requests,
  'search-latency': histogram('rag_request_latency_seconds', 'operation="/v1/search"', '0.25'),
  'answer-latency': histogram('rag_request_latency_seconds', 'operation="/v1/query"', '10.0'),
  'first-token': histogram('ragmesh_llm_first_token_seconds', 'provider="openai", model="large"', '2.5'),
  freshness: histogram('ragmesh_freshness_seconds', '', '30'),
};

function scenariosOf(objective: Objective): Scenario[] {
  const seriesOf = traffic[objective.id]!;
  const burning = (factor: number, minutes: number): Phase => {
    return { minutes, all: PER_MINUTE, bad: Math.round(factor * (1 - objective.target) * PER_MINUTE) };
  };
  const slo = { slo: objective.id };
  const warned = { severity: 'warning', ...slo } as const;
  const both = [{ severity: 'critical', ...slo } as const, warned];
  return [
    { says: 'everybody is served', series: seriesOf([burning(0, 180)]), at: 180, fires: [] },
    { says: 'the budget would be gone in two weeks', series: seriesOf([burning(2, 180)]), at: 180, fires: [warned] },
    { says: 'the budget would be gone in four days', series: seriesOf([burning(7, 180)]), at: 180, fires: both },
    { says: 'an outage of an hour', series: seriesOf([burning(0, 120), burning(17.7, 60)]), at: 180, fires: both },
    {
      says: 'too few failures to say anything',
      series: seriesOf([{ minutes: 90, all: 0.04, bad: 0.04 }]),
      at: 90,
      fires: [],
    },
  ];
}

/** Error budgets that burn too fast, one alert for each objective. */
export const objectiveAlerts: readonly Alert[] = objectives.map((objective) => ({
  name: objective.alert,
  summary: `The error budget of an objective burns too fast: ${objective.says}`,
  advice: objective.advice,
  dashboard: objective.dashboard,
  conditions: [
    { severity: 'critical' as const, lasting: '2m', expr: burnExpression(objective, critical) },
    { severity: 'warning' as const, lasting: '15m', expr: burnExpression(objective, warning) },
  ],
  scenarios: scenariosOf(objective),
}));
