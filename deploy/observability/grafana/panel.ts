/** Units as Grafana names them. */
export type Unit = 'reqps' | 'ops' | 's' | 'short' | 'percentunit' | 'currencyUSD' | 'bytes' | 'none';

export interface Query {
  readonly expr: string;
  /** `{{label}}` for each series; the text itself otherwise. */
  readonly legend?: string;
  /** Dots that lead to traces; for latencies. */
  readonly exemplars?: boolean;
}

/** From `from` on a value has this colour; the first step holds from the start. */
export interface Step {
  readonly from: number | null;
  readonly colour: 'green' | 'yellow' | 'red' | 'blue';
}

export interface Panel {
  readonly type: 'timeseries' | 'stat' | 'table' | 'bargauge';
  readonly title: string;
  /** What it shows, and what to do when it looks bad. */
  readonly description: string;
  readonly unit: Unit;
  readonly queries: readonly Query[];
  readonly steps?: readonly Step[];
  /** Of 24 columns. */
  readonly width?: number;
  readonly stack?: boolean;
  /** Uid of the dashboard that shows more. */
  readonly more?: string;
  /** Texts for values, such as the states of a breaker. */
  readonly values?: Readonly<Record<string, string>>;
}

export const green: Step = { from: null, colour: 'green' };
export const yellow = (from: number): Step => ({ from, colour: 'yellow' });
export const red = (from: number): Step => ({ from, colour: 'red' });

type Json = Record<string, unknown>;
export const prometheus = { type: 'prometheus', uid: '${datasource}' };

const heights = { timeseries: 8, table: 8, bargauge: 8, stat: 4 } as const;
const widths = { timeseries: 8, table: 12, bargauge: 8, stat: 4 } as const;

export const sizeOf = (panel: Panel): { w: number; h: number } => ({
  w: panel.width ?? widths[panel.type],
  h: heights[panel.type],
});

function optionsOf({ type }: Panel): Json {
  const reduceOptions = { calcs: ['lastNotNull'], fields: '', values: false };
  switch (type) {
    case 'timeseries':
      return {
        legend: { displayMode: 'table', placement: 'bottom', showLegend: true, calcs: ['lastNotNull', 'max'] },
        tooltip: { mode: 'multi', sort: 'desc' },
      };
    case 'stat':
      return { reduceOptions, colorMode: 'value', graphMode: 'area', textMode: 'auto' };
    case 'bargauge':
      return { reduceOptions, orientation: 'horizontal', displayMode: 'gradient' };
    case 'table':
      return { showHeader: true };
  }
}

function fieldsOf({ type, unit, steps, stack, values }: Panel): Json {
  const custom = { fillOpacity: stack ? 30 : 8, showPoints: 'never', stacking: { mode: stack ? 'normal' : 'none' } };
  return {
    unit,
    ...(unit === 'none' ? {} : { min: 0 }),
    ...(steps
      ? { thresholds: { mode: 'absolute', steps: steps.map(({ from, colour }) => ({ value: from, color: colour })) } }
      : {}),
    ...(values ? { mappings: [{ type: 'value', options: valueTexts(values) }] } : {}),
    ...(type === 'timeseries' ? { custom: steps ? { ...custom, thresholdsStyle: { mode: 'dashed' } } : custom } : {}),
  };
}

const valueTexts = (values: Readonly<Record<string, string>>): Json =>
  Object.fromEntries(Object.entries(values).map(([value, text], index) => [value, { text, index }]));

const letter = (index: number): string => String.fromCharCode(65 + index);

const targetOf = (type: Panel['type'], { expr, legend, exemplars }: Query, index: number): Json => ({
  refId: letter(index),
  datasource: prometheus,
  expr,
  ...(legend ? { legendFormat: legend } : {}),
  ...(exemplars ? { exemplar: true } : {}),
  ...(type === 'table' ? { format: 'table', instant: true } : {}),
});

/** Results of a table side by side, its figures under the legends of their queries, without what Prometheus adds. */
function transformationsOf({ queries }: Panel): Json[] {
  const only = queries.length === 1;
  const names = queries.map(
    ({ legend = 'value' }, index) => [only ? 'Value' : `Value #${letter(index)}`, legend] as const,
  );
  const excludeByName = { Time: true, __name__: true, job: true, instance: true };
  return [
    { id: 'merge', options: {} },
    { id: 'organize', options: { excludeByName, renameByName: Object.fromEntries(names) } },
  ];
}

/** The panel as Grafana stores it. */
export const panelJson = (panel: Panel, id: number, at: { x: number; y: number }): Json => ({
  id,
  type: panel.type,
  title: panel.title,
  description: panel.description,
  datasource: prometheus,
  gridPos: { ...at, ...sizeOf(panel) },
  fieldConfig: { defaults: fieldsOf(panel), overrides: [] },
  options: optionsOf(panel),
  ...(panel.more ? { links: [{ title: 'More', url: `/d/${panel.more}?\${__url_time_range}` }] } : {}),
  ...(panel.type === 'table' ? { transformations: transformationsOf(panel) } : {}),
  targets: panel.queries.map((query, index) => targetOf(panel.type, query, index)),
});
