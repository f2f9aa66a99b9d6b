import { stringify } from 'yaml';
import { recordingGroups } from '../slo/recordings.js';
import { annotationsOf, type Alert, type Scenario } from './alert.js';
import { decisionAlerts } from './decision-alerts.js';
import { messagingAlerts } from './messaging-alerts.js';
import { modelAlerts } from './model-alerts.js';
import { objectiveAlerts } from './objective-alerts.js';
import { processAlerts } from './process-alerts.js';

export interface AlertFile {
  readonly name: string;
  readonly alerts: readonly Alert[];
  /** Minutes between evaluations in tests; scenarios look at multiples of it. */
  readonly testEvery?: number;
}

/** Files of alerts below `deploy/prometheus/rules`, with their tests below `tests`. */
export const alertFiles: readonly AlertFile[] = [
  { name: 'slo', alerts: objectiveAlerts, testEvery: 10 },
  { name: 'processes', alerts: processAlerts },
  { name: 'messaging', alerts: messagingAlerts },
  { name: 'decisions', alerts: decisionAlerts },
  { name: 'models', alerts: modelAlerts },
];

export const allAlerts: readonly Alert[] = alertFiles.flatMap(({ alerts }) => alerts);

const HEADER = '# Made by "npm run docs" from deploy/observability; change it there.\n';
const yaml = (document: object): string =>
  HEADER + stringify(document, { lineWidth: 120, aliasDuplicateObjects: false });

const alertGroup = ({ name, alerts }: AlertFile): { readonly name: string; readonly rules: readonly object[] } => ({
  name: `ragmesh-${name}`,
  rules: alerts.flatMap((alert) =>
    alert.conditions.map(({ severity, expr, lasting }) => ({
      alert: alert.name,
      expr,
      for: lasting,
      labels: { severity },
      annotations: annotationsOf(alert),
    })),
  ),
});

/** Recordings first: what alerts compare is made by them. */
const groupsOf = (file: AlertFile): { readonly name: string }[] => [
  ...(file.name === 'slo' ? recordingGroups : []),
  alertGroup(file),
];

/** What Prometheus loads. */
export const ruleFile = (file: AlertFile): string => yaml({ groups: groupsOf(file) });

const filledIn = (text: string, labels: Readonly<Record<string, string>>): string =>
  text.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => labels[label] ?? '');

function scenarioTest(alert: Alert, { says, series, at, fires }: Scenario): object {
  return {
    name: `${alert.name}: ${says}`,
    interval: '1m',
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    alert_rule_test: [
      {
        eval_time: `${at}m`,
        alertname: alert.name,
        exp_alerts: fires.map((labels) => ({
          exp_labels: labels,
          exp_annotations: Object.fromEntries(
            Object.entries(annotationsOf(alert)).map(([name, text]) => [name, filledIn(text, labels)]),
          ),
        })),
      },
    ],
  };
}

/** What `promtool test rules` reads. */
export const ruleTests = (file: AlertFile): string =>
  yaml({
    rule_files: [`../rules/${file.name}.yml`],
    evaluation_interval: `${file.testEvery ?? 1}m`,
    group_eval_order: groupsOf(file).map(({ name }) => name),
    tests: file.alerts.flatMap((alert) => alert.scenarios.map((scenario) => scenarioTest(alert, scenario))),
  });
