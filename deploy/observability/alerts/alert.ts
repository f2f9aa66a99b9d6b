export type Severity = 'critical' | 'warning';

/** Series as promtool writes them: `'0+1x60'` counts up for 60 minutes, `'5x10'` stays at 5. */
export interface Scenario {
  readonly says: string;
  readonly series: Readonly<Record<string, string>>;
  /** Minutes after the start. */
  readonly at: number;
  /** The alerts that fire then, each by the labels its expression gives it; none: it is silent. */
  readonly fires: readonly (Readonly<Record<string, string>> & { readonly severity: Severity })[];
}

export interface Condition {
  readonly severity: Severity;
  readonly expr: string;
  /** How long it must hold. */
  readonly lasting: string;
}

/** One thing that can be wrong, at up to two severities; it has one runbook, of the same name. */
export interface Alert {
  readonly name: `Ragmesh${string}`;
  /** One sentence; `{{ $labels.x }}` is filled in. */
  readonly summary: string;
  /** What to do first. */
  readonly advice: string;
  /** Uid of the dashboard to open. */
  readonly dashboard: string;
  readonly conditions: readonly Condition[];
  readonly scenarios: readonly Scenario[];
}

/** Where compose serves runbooks and dashboards; whoever installs the rules elsewhere replaces both. */
export const RUNBOOKS_URL = 'http://127.0.0.1:9090/user';
export const GRAFANA_URL = 'http://127.0.0.1:3000';

/** The annotations every alert carries. */
export const annotationsOf = ({ name, summary, advice, dashboard }: Alert): Record<string, string> => ({
  summary,
  description: advice,
  runbook_url: `${RUNBOOKS_URL}/${name}.md`,
  dashboard_url: `${GRAFANA_URL}/d/${dashboard}`,
});
