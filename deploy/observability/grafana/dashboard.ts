import { panelJson, prometheus, sizeOf, type Panel } from './panel.js';

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Dashboard {
  /** Never changes: alerts, links and bookmarks use it. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly rows: readonly Row[];
}

type Json = Record<string, unknown>;
const COLUMNS = 24;

const datasource: Json = {
  name: 'datasource',
  label: 'Data source',
  type: 'datasource',
  query: 'prometheus',
  current: { text: 'Prometheus', value: 'prometheus' },
};

/** Every service has an outbox, so that metric names them all, from their start on. */
const service: Json = {
  name: 'service',
  label: 'Service',
  type: 'query',
  datasource: prometheus,
  query: { query: 'label_values(ragmesh_outbox_pending, service)', refId: 'services' },
  refresh: 2,
  sort: 1,
  multi: true,
  includeAll: true,
  // Also matches what was scraped without the label that names the service.
  allValue: '.*',
  current: { text: 'All', value: '$__all' },
};

/** Panels flow from left to right and begin a new line when they do not fit. */
function layOut(rows: readonly Row[]): Json[] {
  const placed: Json[] = [];
  let y = 0;
  for (const { title, panels } of rows) {
    placed.push({
      id: placed.length + 1,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: COLUMNS, h: 1 },
    });
    y += 1;
    let [x, lineHeight] = [0, 0];
    for (const panel of panels) {
      const { w, h } = sizeOf(panel);
      if (x + w > COLUMNS) [x, y, lineHeight] = [0, y + lineHeight, 0];
      placed.push(panelJson(panel, placed.length + 1, { x, y }));
      x += w;
      lineHeight = Math.max(lineHeight, h);
    }
    y += lineHeight;
  }
  return placed;
}

/** The dashboard as Grafana stores it, with links to its `siblings`. */
export function dashboardJson(dashboard: Dashboard, siblings: readonly Dashboard[]): Json {
  const panels = layOut(dashboard.rows);
  const usesService = JSON.stringify(panels).includes('$service');
  return {
    uid: dashboard.uid,
    title: dashboard.title,
    description: dashboard.description,
    tags: ['ragmesh'],
    schemaVersion: 41,
    version: 1,
    editable: false,
    refresh: '10s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    graphTooltip: 1,
    links: siblings
      .filter(({ uid }) => uid !== dashboard.uid)
      .map(({ uid, title }) => ({
        type: 'link',
        title: title.replace(/^ragmesh: /, ''),
        url: `/d/${uid}`,
        keepTime: true,
        includeVars: true,
      })),
    templating: { list: usesService ? [datasource, service] : [datasource] },
    panels,
  };
}
