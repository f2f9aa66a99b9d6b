import { Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { context, trace, TraceFlags } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { createLogger, histogram, metricCatalogue, renderMetrics } from '@ragmesh/observability';
import { artefacts } from './artefacts.js';
import { dashboardFiles, dashboards, expressionsOf, ruleFiles, testFiles, text, yaml } from './committed-files.js';
import { referencesOf } from './promql/references.js';
import { familyNameOf, unknownNames } from './promql/unknown-names.js';
import { unshownMetrics } from './unshown-metrics.js';

interface Provisioned {
  readonly datasources: readonly {
    readonly uid: string;
    readonly type: string;
    readonly url: string;
    readonly jsonData: unknown;
  }[];
}

const uids = dashboards.map(({ uid }) => uid);
const panelsOf = dashboards.flatMap(({ uid, panels }) =>
  panels.filter(({ type }) => type !== 'row').map((panel) => ({ uid, panel, name: `${uid}: ${panel.title}` })),
);

/** Of Grafana's, as its field options name them; it shows one it does not know as a word behind the number. */
const units = ['bytes', 'currencyUSD', 'none', 'ops', 'percentunit', 'reqps', 's', 'short'];

/** A line of the log and the metrics, as a service in a trace writes them. */
async function toldWithin(traceId: string): Promise<{ line: string; metrics: string }> {
  let line = '';
  const destination = new Writable({ write: (chunk, _encoding, done) => done(void (line += String(chunk))) });
  const span = { traceId, spanId: '00f067aa0ba902b7', traceFlags: TraceFlags.SAMPLED };
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  context.with(trace.setSpanContext(context.active(), span), () => {
    createLogger('vector', 'info', destination).info('A line');
    histogram('ragmesh_freshness_seconds').observe(1);
  });
  context.disable();
  return { line, metrics: (await renderMetrics('application/openmetrics-text')).body };
}

describe('what is committed', () => {
  it('is what the sources make', () => {
    expect([...dashboardFiles, ...ruleFiles, ...testFiles].toSorted()).toEqual([...artefacts.keys()].toSorted());
    for (const [path, content] of artefacts)
      expect({ path, isFresh: text(path) === content }).toEqual({ path, isFresh: true });
  });
});

describe('dashboards', () => {
  it('are the seven of the mesh, with uids of their own', () => {
    expect(new Set(uids).size).toBe(dashboards.length);
    const topics = ['overview', 'ingestion', 'query', 'messaging', 'models', 'tenants', 'slos'];
    expect(uids.toSorted()).toEqual(topics.map((topic) => `ragmesh-${topic}`).toSorted());
  });

  it.each(dashboards)('$uid asks for metrics and labels that there are', (dashboard) => {
    const faults = expressionsOf(dashboard).flatMap(unknownNames);
    const queries = dashboard.templating.list.map(({ query }) => (query as { query?: string }).query ?? '');
    for (const query of queries.filter((text) => text !== '')) {
      const [, metric, label] = /^label_values\((\w+), (\w+)\)$/.exec(query) ?? [];
      faults.push(...unknownNames(`sum by (${label}) (${metric})`));
    }
    expect(faults).toEqual([]);
  });

  it.each(dashboards)('$uid declares the variables it uses, and uses those it declares', ({ templating, panels }) => {
    const used = [...JSON.stringify(panels).matchAll(/\$\{?(\w+)/g)].map(([, name]) => name!);
    const own = [...new Set(used.filter((name) => !name.startsWith('__')))];
    expect(own.toSorted()).toEqual(templating.list.map(({ name }) => name).toSorted());
  });

  it('show every metric of the catalogue, or say why not', () => {
    const shown = new Set(
      dashboards
        .flatMap(expressionsOf)
        .flatMap((text) => referencesOf(text).series.map(({ name }) => familyNameOf(name))),
    );
    const hidden = Object.keys(metricCatalogue).filter((name) => !shown.has(name));
    expect(hidden.toSorted()).toEqual(Object.keys(unshownMetrics).toSorted());
  });

  it.each(panelsOf)('$name says what it shows and has a unit', ({ panel }) => {
    expect(panel.description).toMatch(/^[A-Za-z0-9].{10,}\.$/);
    const latency = panel.targets!.some(({ expr }) => /histogram_quantile.*_seconds_bucket/.test(expr));
    expect(latency ? ['s'] : units).toContain(panel.fieldConfig!.defaults.unit);
    expect(panel.targets!.length).toBeGreaterThan(0);
  });

  it('lead from every latency to traces', () => {
    const targets = panelsOf.flatMap(({ panel }) => panel.targets!.map((target) => ({ ...target, panel })));
    const latencies = targets.filter(
      ({ expr, panel }) => panel.type === 'timeseries' && /histogram_quantile.*_seconds_bucket/.test(expr),
    );
    expect(latencies.length).toBeGreaterThan(10);
    expect(latencies.filter(({ exemplar }) => exemplar !== true)).toEqual([]);
  });

  it('lead to each other and to nothing else', () => {
    for (const { uid, links, panels } of dashboards) {
      expect(links.map(({ url }) => url).toSorted()).toEqual(
        uids
          .filter((other) => other !== uid)
          .map((other) => `/d/${other}`)
          .toSorted(),
      );
      for (const { url } of panels.flatMap((panel) => panel.links ?? []))
        expect(uids).toContain(/^\/d\/([\w-]+)\?/.exec(url)?.[1]);
    }
  });

  it('have no panels that overlap or leave the page', () => {
    for (const { panels } of dashboards) {
      const taken = new Set<string>();
      for (const { x, y, w, h } of panels.map(({ gridPos }) => gridPos)) {
        expect(x + w).toBeLessThanOrEqual(24);
        for (let cell = 0; cell < w * h; cell += 1) taken.add(`${x + (cell % w)},${y + Math.floor(cell / w)}`);
      }
      expect(taken.size).toBe(panels.reduce((sum, { gridPos: { w, h } }) => sum + w * h, 0));
    }
  });
});

describe('data sources', () => {
  const base = yaml<Provisioned>('deploy/grafana/provisioning/datasources/ragmesh.yml').datasources;
  const logs = yaml<Provisioned>('deploy/logs/loki-datasource.yml').datasources;
  const all = [...base, ...logs];

  it('lead to data sources that there are', () => {
    expect(all.map(({ uid }) => uid)).toEqual(['prometheus', 'jaeger', 'loki']);
    const named = [...JSON.stringify(all).matchAll(/"datasourceUid":"(\w+)"/g)].map(([, uid]) => uid!);
    expect(named.toSorted()).toEqual(['jaeger', 'jaeger', 'loki', 'prometheus']);
  });

  it('ask servers that compose has', () => {
    const composed = ['docker-compose.dev.yml', 'deploy/logs/docker-compose.logs.yml'].flatMap((path) =>
      Object.keys(yaml<{ services: object }>(path).services),
    );
    expect(all.map(({ url }) => new URL(url).hostname).filter((host) => !composed.includes(host))).toEqual([]);
  });

  it('find a trace by what exemplars and lines of the log call it', async () => {
    const jsonData = (uid: string) => all.find((source) => source.uid === uid)!.jsonData;
    const { exemplarTraceIdDestinations: exemplars } = jsonData('prometheus') as {
      exemplarTraceIdDestinations: { name: string }[];
    };
    const { derivedFields } = jsonData('loki') as { derivedFields: { matcherRegex: string }[] };
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const { line, metrics } = await toldWithin(traceId);
    const [label] = new RegExp(String.raw`(?<=# \{)\w+(?=="${traceId}"\})`).exec(metrics)!;
    expect(exemplars.map(({ name }) => name)).toEqual([label]);
    expect(derivedFields.map(({ matcherRegex }) => new RegExp(matcherRegex).exec(line)?.[1])).toEqual([traceId]);
  });

  it('ask metrics of a trace that there are', () => {
    const { tracesToMetrics } = all.find(({ uid }) => uid === 'jaeger')!.jsonData as {
      tracesToMetrics: { queries: { query: string }[]; tags: { key: string; value: string }[] };
    };
    const tags = tracesToMetrics.tags.map(({ value }) => `${value}="x"`).join();
    const queries = tracesToMetrics.queries.map(({ query }) => query.replace('$$__tags', tags));
    expect(queries.flatMap(unknownNames)).toEqual([]);
  });
});
