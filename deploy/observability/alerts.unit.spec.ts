import { describe, expect, it } from '@jest/globals';
import { metricCatalogue } from '@ragmesh/observability';
import { allAlerts } from './alerts/rule-files.js';
import { alerts, dashboards, expressionsOf, rules, runbookFiles, text } from './committed-files.js';
import { familyNameOf, unknownNames } from './promql/unknown-names.js';
import { referencesOf } from './promql/references.js';
import { recordedNames } from './slo/recordings.js';
import { gatewayRoutes, missingNames } from './missing-names.js';
import { answerRoutes, ofUsers, searchRoutes } from './slo/routes.js';

const names = [...new Set(alerts.map(({ alert }) => alert!))];
const uids = dashboards.map(({ uid }) => uid);

describe('rules', () => {
  it('ask for metrics and labels that there are', () => {
    expect(rules.flatMap(({ expr }) => unknownNames(expr))).toEqual([]);
  });

  it('record what they say, all of it used by alerts or shown', () => {
    const recorded = [...new Set(rules.flatMap(({ record }) => record ?? []))];
    expect(recorded.toSorted()).toEqual([...recordedNames].toSorted());
    const used = [...rules.map(({ expr }) => expr), ...dashboards.flatMap(expressionsOf)].flatMap((expr) =>
      referencesOf(expr).series.map(({ name }) => name),
    );
    // The rate of bad events over short windows comes with its ratio.
    expect(recorded.filter((name) => !used.includes(name) && !name.startsWith('slo:bad_events'))).toEqual([]);
  });

  it('watch what operators were promised', () => {
    const watched = alerts.flatMap(({ expr }) => referencesOf(expr).series.map(({ name }) => familyNameOf(name)));
    const promised = [
      'ragmesh_consumer_lag_seconds',
      'ragmesh_outbox_oldest_seconds',
      'ragmesh_sagas_overdue',
      'ragmesh_dead_letters_total',
      'ragmesh_breaker_state',
    ];
    expect(promised.filter((name) => !(name in metricCatalogue) || !watched.includes(name))).toEqual([]);
    const objectives = new Set(alerts.flatMap(({ expr }) => expr.match(/(?<=slo=")[\w-]+/g) ?? []));
    expect([...objectives].toSorted()).toEqual([
      'answer-latency',
      'availability',
      'first-token',
      'freshness',
      'search-latency',
    ]);
  });

  it('name routes of the gateway', () => {
    expect(gatewayRoutes.length).toBeGreaterThan(40);
    for (const route of [answerRoutes, searchRoutes, ofUsers.operation.not].flatMap(({ source }) =>
      source.replaceAll('\\/', '/').split('|'),
    ))
      expect(gatewayRoutes).toContain(route);
  });
});

describe.each(alerts)('$alert ($labels.severity)', ({ labels, annotations, alert, expr }) => {
  it('has a severity, a sentence, advice, a runbook and a dashboard', () => {
    expect(['critical', 'warning']).toContain(labels!.severity);
    expect(annotations!.summary).toMatch(/^\S.{15,}\.$/);
    expect(annotations!.description).toMatch(/^\S.{20,}\.$/);
    expect(annotations!.runbook_url).toMatch(new RegExp(`/${alert}\\.md$`));
    expect(runbookFiles).toContain(`deploy/runbooks/${alert}.md`);
    expect(uids).toContain(annotations!.dashboard_url!.split('/').at(-1));
  });

  it('fills in only labels that it has', () => {
    const { grouping, series } = referencesOf(expr);
    const target = ['job', 'instance', 'service_name'];
    const known = [...grouping, ...series.flatMap((one) => one.labels), ...(grouping.length === 0 ? target : [])];
    const used = [...JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label!);
    expect(used.filter((label) => !known.includes(label))).toEqual([]);
  });
});

describe('scenarios', () => {
  it.each(allAlerts)('$name fires at each of its severities, and is silent', ({ conditions, scenarios }) => {
    const fired = scenarios.flatMap(({ fires }) => fires.map(({ severity }) => severity));
    expect([...new Set(fired)].toSorted()).toEqual(conditions.map(({ severity }) => severity).toSorted());
    expect(scenarios.some(({ fires }) => fires.length === 0)).toBe(true);
  });
});

describe('runbooks', () => {
  it('are those of the alerts', () => {
    expect(runbookFiles.toSorted()).toEqual(names.map((name) => `deploy/runbooks/${name}.md`).toSorted());
  });

  it.each(runbookFiles)('%s says what it means, how to see it and what to do', (path) => {
    const book = text(path);
    expect(book).toMatch(/^# Ragmesh\w+\n\n\S[^#]{60,}\n## See\n[^]{60,}\n## Do\n[^]{100,}$/);
    expect(book.split('\n').length).toBeLessThan(60);
  });

  it.each(runbookFiles)('%s names only what there is', (path) => {
    expect(missingNames(text(path))).toEqual([]);
    const books = [...text(path).matchAll(/\]\((\w+)\.md\)/g)].map(([, name]) => name!);
    expect(books.filter((name) => !names.includes(name))).toEqual([]);
  });
});

describe('advice', () => {
  it.each(alerts)('of $alert ($labels.severity) names only what there is', ({ annotations }) => {
    expect(missingNames(Object.values(annotations!).join('\n'))).toEqual([]);
  });

  it.each(dashboards)('of $uid names only what there is', ({ panels }) => {
    expect(missingNames(panels.map(({ description = '' }) => description).join('\n'))).toEqual([]);
  });

  it('is refused when it names what is not there', () => {
    const wrong =
      'GET /v1/admin/nothing, npm run nothing, NO_SUCH_SETTING, NOT.A_CODE, `rag_nothing`, /v1/documents/{id}/retry';
    expect(missingNames(wrong)).toEqual([
      '/v1/admin/nothing',
      'nothing',
      'NO_SUCH_SETTING',
      'NOT.A_CODE',
      'There is no metric rag_nothing.',
    ]);
  });
});
