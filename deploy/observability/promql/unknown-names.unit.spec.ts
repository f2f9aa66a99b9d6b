import { describe, expect, it } from '@jest/globals';
import { renderMetrics, startProcessMetrics } from '@ragmesh/observability';
import { processMetrics } from './metric-families.js';
import { observationsWithin, quantile, rate, series } from './series.js';
import { unknownNames } from './unknown-names.js';

describe('names in PromQL', () => {
  it.each([
    'sum by (status) (rate(rag_requests_total{operation!~"/healthz|{x}", status=~"5.."}[5m])) > 0.5 or vector(0)',
    'histogram_quantile(0.95, sum by (le, stage) (rate(ragmesh_stage_duration_seconds_bucket{stage="a"}[$__rate_interval])))',
    '1 - slo:error_ratio:rate5m{slo="x"} / on (slo) group_left () (1 - slo:target:ratio) unless ragmesh_points offset 15m',
  ])('finds nothing wrong in %s', (expression) => expect(unknownNames(expression)).toEqual([]));

  it.each([
    ['rate(rag_request_total[5m])', 'There is no metric rag_request_total.'],
    ['rag_requests_total{route="/v1/search"}', 'rag_requests_total has no label route.'],
    ['sum by (tenant) (rag_requests_total)', 'Nothing has a label tenant.'],
    ['sum(rag_requests_total) by (tenant)', 'Nothing has a label tenant.'],
    ['ragmesh_freshness_seconds', 'There is no metric ragmesh_freshness_seconds.'],
    ['rag_requests_total_bucket', 'There is no metric rag_requests_total_bucket.'],
    ['slo:error_ratio:rate7m', 'There is no metric slo:error_ratio:rate7m.'],
  ])('finds what is wrong in %s', (expression, fault) => expect(unknownNames(expression)).toEqual([fault]));

  it('knows no figure of a process that a process does not show', async () => {
    startProcessMetrics();
    const { body } = await renderMetrics();
    for (const [name, { type }] of Object.entries(processMetrics)) expect(body).toContain(`# TYPE ${name} ${type}`);
  });
});

describe('building PromQL', () => {
  it('refuses what the code does not have', () => {
    expect(() => series('rag_requests_total', { route: '/v1/search' })).toThrow(/has no label route/);
    expect(() => rate('rag_requests_total', { by: ['tenant'] })).toThrow(/has no label tenant/);
    expect(() => rate('ragmesh_points')).toThrow(/is no counter/);
    expect(() => quantile(0.5, 'rag_requests_total')).toThrow(/is no histogram/);
  });

  it('counts up to a bound that is a bucket, however Prometheus writes it', () => {
    expect(observationsWithin(2.5, 'rag_request_latency_seconds', { over: '5m' })).toContain('le="2.5"');
    expect(observationsWithin(10, 'rag_request_latency_seconds', { over: '5m' })).toContain('le=~"10([.]0)?"');
    expect(() => observationsWithin(3, 'rag_request_latency_seconds')).toThrow(/no bucket that ends at 3/);
  });
});
