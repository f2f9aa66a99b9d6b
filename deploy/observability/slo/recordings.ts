import { objectives, type Objective } from './objectives.js';
import { PERIOD, secondsOf, windows, type BurnRate, type Window } from './burn-rates.js';

export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface RecordingGroup {
  readonly name: string;
  readonly interval?: string;
  readonly rules: readonly RecordingRule[];
}

const ratioOver = (window: string): string => `slo:error_ratio:rate${window}`;
const badOver = (window: string): string => `slo:bad_events:rate${window}`;

/** Names of what the rules record, with the label all of them carry. */
export const recordedNames: readonly string[] = [
  'slo:target:ratio',
  'slo:budget_left:ratio',
  ...windows.flatMap((window) => [ratioOver(window), badOver(window)]),
  ratioOver(PERIOD),
];
export const recordedLabels = ['slo'] as const;

function recordingsOf(objective: Objective): RecordingRule[] {
  const labels = { slo: objective.id };
  return windows.flatMap((window) => [
    { record: badOver(window), expr: objective.bad(window), labels },
    { record: ratioOver(window), expr: `(${objective.bad(window)}) / ${objective.events(window)}`, labels },
  ]);
}

const budgetOf = (objective: Objective): RecordingRule[] => {
  const labels = { slo: objective.id };
  return [
    { record: 'slo:target:ratio', expr: `vector(${objective.target})`, labels },
    { record: ratioOver(PERIOD), expr: `(${objective.bad(PERIOD)}) / ${objective.events(PERIOD)}`, labels },
  ];
};

const budgetLeft: RecordingRule = {
  record: 'slo:budget_left:ratio',
  expr: `1 - ${ratioOver(PERIOD)} / (1 - slo:target:ratio)`,
};

/** Ratios over every window of the alerts, and what is left of the budget of 30 days. */
export const recordingGroups: readonly RecordingGroup[] = [
  ...objectives.map((objective) => ({ name: `ragmesh-slo-${objective.id}`, rules: recordingsOf(objective) })),
  { name: 'ragmesh-slo-budget', interval: '5m', rules: [...objectives.flatMap(budgetOf), budgetLeft] },
];

/** With fewer bad events than this in the long window, a ratio says nothing: one failure of ten requests is not an outage. */
const FEWEST_BAD_EVENTS = 5;

function burning({ id, target }: Objective, { long, short, factor }: BurnRate): string {
  // Rounded, because 1 - 0.999 is not quite 0.001 in binary.
  const limit = Number((factor * (1 - target)).toPrecision(6));
  const over = (window: Window): string => `${ratioOver(window)}{slo="${id}"} > ${limit}`;
  const enough = `${badOver(long)}{slo="${id}"} * ${secondsOf(long)} >= ${FEWEST_BAD_EVENTS}`;
  return `(${over(long)} and ${over(short)} and ${enough})`;
}

/** Whether the budget burns at one of these rates. */
export const burnExpression = (objective: Objective, rates: readonly BurnRate[]): string =>
  rates.map((rate) => burning(objective, rate)).join(' or ');
