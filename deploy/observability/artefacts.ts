import { allDashboards } from './dashboards/all-dashboards.js';
import { dashboardJson } from './grafana/dashboard.js';
import { alertFiles, ruleFile, ruleTests } from './alerts/rule-files.js';

/** Every file made from these sources: path from the root of the repository, and content. */
export const artefacts: ReadonlyMap<string, string> = new Map([
  ...allDashboards.map((dashboard): [string, string] => [
    `deploy/grafana/dashboards/${dashboard.uid.replace('ragmesh-', '')}.json`,
    `${JSON.stringify(dashboardJson(dashboard, allDashboards), null, 2)}\n`,
  ]),
  ...alertFiles.flatMap((file): [string, string][] => [
    [`deploy/prometheus/rules/${file.name}.yml`, ruleFile(file)],
    [`deploy/prometheus/tests/${file.name}.yml`, ruleTests(file)],
  ]),
]);
