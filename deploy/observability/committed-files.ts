import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { parse } from 'yaml';

/** What of a committed dashboard the checks look at. */
export interface CommittedPanel {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly links?: readonly { readonly url: string }[];
  readonly targets?: readonly { readonly expr: string; readonly exemplar?: boolean }[];
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
}

export interface CommittedDashboard {
  readonly uid: string;
  readonly title: string;
  readonly links: readonly { readonly url: string }[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: unknown }[] };
  readonly panels: readonly CommittedPanel[];
}

export interface CommittedRule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export const text = (path: string): string => readFileSync(path, 'utf8');
export const yaml = <Document>(path: string): Document => parse(text(path), { merge: true }) as Document;

const filesIn = (folder: string): string[] => readdirSync(folder).map((name) => `${folder}/${name}`);

export const dashboardFiles = filesIn('deploy/grafana/dashboards');
export const ruleFiles = filesIn('deploy/prometheus/rules');
export const testFiles = filesIn('deploy/prometheus/tests');
const books = existsSync('deploy/runbooks') ? filesIn('deploy/runbooks') : [];
/** What to do about an alert, and what to do when somebody has decided to do it. */
export const runbookFiles = books.filter((path) => path.includes('/Ragmesh'));
export const procedureFiles = books.filter((path) => !path.includes('/Ragmesh'));

export const dashboards = dashboardFiles.map((path) => JSON.parse(text(path)) as CommittedDashboard);
export const rules = ruleFiles.flatMap((path) =>
  yaml<{ groups: { rules: CommittedRule[] }[] }>(path).groups.flatMap((group) => group.rules),
);
export const alerts = rules.filter(({ alert }) => alert !== undefined);

export const expressionsOf = ({ panels }: CommittedDashboard): string[] =>
  panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
